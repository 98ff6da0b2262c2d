import { createHash, hash } from 'node:crypto';
import {
  closeSync,
  ftruncateSync,
  futimesSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { type BytePath, diskPath } from '../byte-path.ts';
import type { FileEntry, SymlinkEntry } from '../cache-entry.ts';
import { ownPrefix } from '../excluded.ts';

const stagingPrefix = `${ownPrefix}staging-`;

/** What was read is not what was stored. */
export class DamagedContentError extends Error {
  constructor(path: string) {
    super(`the content of ${JSON.stringify(path)} is not what its checksum says`);
    this.name = 'DamagedContentError';
  }
}

/** Puts files in the cache directory: each is written aside and appears whole, with its time, in one step. */
export class PlacedFiles {
  readonly #root: string;
  readonly #staging: string;
  #next = 0;

  constructor(root: string) {
    this.#root = root;
    this.#staging = `${root}/${stagingPrefix}${process.pid}`;
    removeLeftovers(root);
    mkdirSync(this.#staging, { recursive: true, mode: 0o700 });
  }

  /** @throws DamagedContentError when the checksum is another; then nothing was placed. */
  file(entry: FileEntry, content: Iterable<Buffer>): void {
    const staged = this.#newName();
    const descriptor = openSync(staged, 'wx', entry.mode);
    try {
      const isGood = write(descriptor, entry, content);
      if (!isGood) throw new DamagedContentError(entry.path);
      const seconds = entry.mtimeMs / 1000;
      futimesSync(descriptor, seconds, seconds);
    } catch (error) {
      closeSync(descriptor);
      rmSync(staged, { force: true });
      throw error;
    }
    closeSync(descriptor);
    this.#place(staged, entry.path);
  }

  hardLink(path: BytePath, twin: BytePath): void {
    const staged = this.#newName();
    linkSync(diskPath(this.#root, twin), staged);
    // A rename onto another name of the same file does nothing, and leaves the first name there.
    rmSync(diskPath(this.#root, path), { force: true });
    this.#place(staged, path);
  }

  symlink(entry: SymlinkEntry): void {
    const staged = this.#newName();
    symlinkSync(Buffer.from(entry.target, 'latin1'), staged);
    this.#place(staged, entry.path);
  }

  close(): void {
    rmSync(this.#staging, { recursive: true, force: true });
  }

  #newName(): string {
    return `${this.#staging}/${this.#next++}`;
  }

  #place(staged: string, path: BytePath): void {
    try {
      renameSync(staged, diskPath(this.#root, path));
    } catch (error) {
      rmSync(staged, { force: true });
      throw error;
    }
  }
}

/** Removes what processes that were killed have left. */
function removeLeftovers(root: string): void {
  for (const name of readdirSync(root)) {
    if (!name.startsWith(stagingPrefix)) continue;
    const pid = Number(name.slice(stagingPrefix.length));
    if (pid === process.pid || !isAlive(pid)) rmSync(`${root}/${name}`, { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function write(descriptor: number, entry: FileEntry, content: Iterable<Buffer>): boolean {
  const { length, sha256, pieces } = entry.content;
  const places = pieces === undefined ? undefined : [...pieces];
  let rest = length;
  let whole: Buffer | undefined;
  let digest: ReturnType<typeof createHash> | undefined;
  for (const bytes of content) {
    // Most files come in one piece; a digest object costs more than their digest.
    if (bytes.length === length) whole = bytes;
    else digest = (digest ?? createHash('sha256')).update(bytes);
    rest -= bytes.length;
    if (places === undefined) writeAll(descriptor, bytes, null);
    else writePieces(descriptor, bytes, places);
  }
  if (pieces !== undefined) ftruncateSync(descriptor, entry.size);
  if (rest !== 0) return false;
  if (sha256 === undefined) return true;
  const found =
    whole === undefined
      ? (digest ?? createHash('sha256')).digest('base64url')
      : hash('sha256', whole, 'base64url');
  return found === sha256;
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
