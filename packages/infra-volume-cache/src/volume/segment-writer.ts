import { createHash, type Hash } from 'node:crypto';
import { closeSync, fsyncSync, rmSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { tarEnd, tarHeader, type TarMember, tarPadding } from '@flash/tar-archive';
import { type BytePath, pathBytes } from '../byte-path.ts';
import type { CacheEntry, FileEntry, StoredContent } from '../cache-entry.ts';
import type { SegmentDirectory } from './segment-directory.ts';
import type { SegmentManifest } from './segment-manifest.ts';

/** Written in pieces of this size: a network volume wants few, large writes. */
const bufferBytes = 1024 * 1024;

type FileHead = Omit<FileEntry, 'kind' | 'content'> & { readonly pieces?: StoredContent['pieces'] };

/** Content that turned out not to be what its head said: the member is filled up with zeros, and not in the manifest. */
export class ChangedContentError extends Error {
  constructor() {
    super('the content is not as long as it was said to be');
    this.name = 'ChangedContentError';
  }
}

/** Writes one segment. What it writes is a plain GNU tar archive, so that it can be read without this program. */
export class SegmentWriter {
  readonly id: string;
  readonly #directory: SegmentDirectory;
  readonly #path: string;
  readonly #descriptor: number;
  readonly #buffer = Buffer.allocUnsafe(bufferBytes);
  readonly #entries: CacheEntry[] = [];
  #buffered = 0;
  #written = 0;
  #isClosed = false;

  constructor(directory: SegmentDirectory) {
    this.#directory = directory;
    this.id = directory.newId();
    ({ path: this.#path, descriptor: this.#descriptor } = directory.newArchive(this.id));
  }

  /** Bytes of the archive so far. */
  get bytes(): number {
    return this.#written + this.#buffered;
  }

  get entries(): readonly CacheEntry[] {
    return this.#entries;
  }

  directory(path: BytePath, mode: number, origin = this.id): void {
    this.#head({ type: 'directory', name: pathBytes(path), size: 0, mode, mtime: 0 });
    this.#entries.push({ kind: 'directory', path, mode, origin });
  }

  symlink(path: BytePath, target: string, origin = this.id): void {
    this.#head({
      type: 'symbolic link',
      name: pathBytes(path),
      size: 0,
      mode: 0o777,
      mtime: 0,
      target: pathBytes(target),
    });
    this.#entries.push({ kind: 'symlink', path, target, origin });
  }

  /** Another name of a file that this segment holds already. */
  hardLink(head: FileHead, twin: FileEntry): void {
    const { path, mode, mtimeMs } = head;
    this.#head({
      type: 'hard link',
      name: pathBytes(path),
      size: 0,
      mode,
      mtime: mtimeMs / 1000,
      target: pathBytes(twin.path),
    });
    this.#entries.push(fileEntry(head, twin.content));
  }

  /**
   * @param length - bytes that come; `pieces` of the head say where in the file they belong.
   * @throws ChangedContentError when more or fewer come; the segment stays good.
   */
  file(head: FileHead, length: number, content: Iterable<Buffer>): FileEntry {
    this.#head({
      type: 'file',
      name: pathBytes(head.path),
      size: length,
      mode: head.mode,
      mtime: head.mtimeMs / 1000,
    });
    const offset = this.bytes;
    const digest: Hash = createHash('sha256');
    let sum = 0;
    let rest = length;
    let isTooLong = false;
    for (const piece of content) {
      isTooLong = piece.length > rest;
      if (isTooLong) break;
      digest.update(piece);
      sum = crc32(piece, sum);
      this.#write(piece);
      rest -= piece.length;
    }
    const isChanged = isTooLong || rest > 0;
    for (; rest > 0; rest -= Math.min(rest, bufferBytes))
      this.#write(Buffer.alloc(Math.min(rest, bufferBytes)));
    this.#write(Buffer.alloc(tarPadding(length)));
    if (isChanged) throw new ChangedContentError();
    const entry = fileEntry(head, {
      offset,
      length,
      sha256: digest.digest('base64url'),
      crc32: sum,
      pieces: head.pieces,
    });
    this.#entries.push(entry);
    return entry;
  }

  /** Takes back what was added since there were `count` entries. Its bytes stay in the archive; nothing names them. */
  takeBackTo(count: number): void {
    this.#entries.length = count;
  }

  /** Makes the segment exist, unless it is empty. */
  publish(replaces: readonly string[] = []): SegmentManifest | undefined {
    if (this.#entries.length === 0 && replaces.length === 0) {
      this.discard();
      return undefined;
    }
    this.#write(tarEnd);
    this.#flush();
    fsyncSync(this.#descriptor);
    this.#close();
    const manifest = { id: this.id, bytes: this.#written, replaces, entries: this.#entries };
    this.#directory.publish(manifest, this.#path);
    return manifest;
  }

  /** Leaves nothing behind. For an end without publication; does nothing after one. */
  discard(): void {
    if (this.#isClosed) return;
    this.#close();
    rmSync(this.#path, { force: true });
  }

  #close(): void {
    this.#isClosed = true;
    closeSync(this.#descriptor);
  }

  #head(member: TarMember): void {
    this.#write(tarHeader(member));
  }

  #write(bytes: Buffer): void {
    if (bytes.length > bufferBytes - this.#buffered) this.#flush();
    if (bytes.length >= bufferBytes) {
      this.#writeOut(bytes);
      return;
    }
    bytes.copy(this.#buffer, this.#buffered);
    this.#buffered += bytes.length;
  }

  #flush(): void {
    this.#writeOut(this.#buffer.subarray(0, this.#buffered));
    this.#buffered = 0;
  }

  #writeOut(bytes: Buffer): void {
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#descriptor, bytes, done);
    this.#written += bytes.length;
  }
}

function fileEntry({ pieces: _, ...head }: FileHead, content: StoredContent): FileEntry {
  return { kind: 'file', ...head, content };
}
