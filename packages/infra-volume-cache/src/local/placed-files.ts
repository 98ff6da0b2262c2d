import {
  closeSync,
  ftruncateSync,
  futimesSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { threadId } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import { type BytePath, diskPath } from '../byte-path.ts';
import type { FileEntry, RestorableFile, SymlinkEntry } from '../cache-entry.ts';

/** Thrown when a file's content is not what was stored. */
export class DamagedContentError extends Error {
  constructor(path: string) {
    super(`the content of ${JSON.stringify(path)} is not what its checksum says`);
    this.name = 'DamagedContentError';
  }
}

/** Puts files in a directory: each is written aside and appears whole, with its time, in one step; or in place where no process looks yet. */
export class PlacedFiles {
  readonly #root: string;
  readonly #staging: string | undefined;
  #next = 0;

  /** @param staging - a directory of the same file system; `undefined`: files are written in place. */
  constructor(root: string, staging: string | undefined) {
    this.#root = root;
    this.#staging = staging;
  }

  /** @throws DamagedContentError when the checksum is another; then nothing was placed. */
  file(entry: RestorableFile, content: Iterable<Buffer>): void {
    const staged = this.#nameFor(entry.path);
    const descriptor = openSync(staged, 'wx', entry.mode);
    try {
      const isGood = write(descriptor, entry, content);
      if (!isGood) throw new DamagedContentError(entry.path);
      const seconds = entry.mtimeMs / 1000;
      if (entry.keepsTime !== false) futimesSync(descriptor, seconds, seconds);
    } catch (error) {
      closeSync(descriptor);
      rmSync(staged, { force: true });
      throw error;
    }
    closeSync(descriptor);
    this.#place(staged, entry.path);
  }

  hardLink(path: BytePath, twin: BytePath): void {
    const staged = this.#nameFor(path);
    linkSync(diskPath(this.#root, twin), staged);
    // A rename onto another name of the same file does nothing, and leaves the first name there.
    if (this.#staging !== undefined) rmSync(diskPath(this.#root, path), { force: true });
    this.#place(staged, path);
  }

  symlink(entry: SymlinkEntry): void {
    const staged = this.#nameFor(entry.path);
    symlinkSync(Buffer.from(entry.target, 'latin1'), staged);
    this.#place(staged, entry.path);
  }

  /** Where a file is written first. */
  #nameFor(path: BytePath): string | Buffer {
    if (this.#staging === undefined) return diskPath(this.#root, path);
    return `${this.#staging}/${threadId}-${this.#next++}`;
  }

  #place(staged: string | Buffer, path: BytePath): void {
    if (this.#staging === undefined) return;
    try {
      renameSync(staged, diskPath(this.#root, path));
    } catch (error) {
      rmSync(staged, { force: true });
      throw error;
    }
  }
}

function write(descriptor: number, entry: FileEntry, content: Iterable<Buffer>): boolean {
  const { length, crc32: expected, pieces } = entry.content;
  const places = pieces === undefined ? undefined : [...pieces];
  let rest = length;
  let sum = 0;
  for (const bytes of content) {
    rest -= bytes.length;
    if (expected !== undefined) sum = crc32(bytes, sum);
    if (places === undefined) writeAll(descriptor, bytes, null);
    else writePieces(descriptor, bytes, places);
  }
  if (pieces !== undefined) ftruncateSync(descriptor, entry.size);
  return rest === 0 && (expected === undefined || sum === expected);
}

/** Writes bytes to where the next pieces of a sparse file belong. */
function writePieces(descriptor: number, bytes: Buffer, places: (readonly [number, number])[]): void {
  for (let at = 0; at < bytes.length; ) {
    const [start, length] = places.shift() ?? [0, 0];
    const count = Math.min(length, bytes.length - at);
    if (count === 0) return;
    writeAll(descriptor, bytes.subarray(at, at + count), start);
    if (count < length) places.unshift([start + count, length - count]);
    at += count;
  }
}

function writeAll(descriptor: number, bytes: Buffer, position: number | null): void {
  for (let done = 0; done < bytes.length; )
    done += writeSync(
      descriptor,
      bytes,
      done,
      bytes.length - done,
      position === null ? null : position + done,
    );
}
