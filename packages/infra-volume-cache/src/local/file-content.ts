import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { type BytePath, diskPath } from '../byte-path.ts';
import type { StoredContent } from '../cache-entry.ts';

const readBytes = 1024 * 1024;
/** A hole counts when it is at least so long. */
const holeBytes = 64 * 1024;
const zeros = Buffer.alloc(holeBytes);
const most = 4096;
/** One file is read at a time, and each piece is done with before the next is asked for. */
const buffer = Buffer.allocUnsafe(readBytes);

/** A file that is open for being stored. */
export class FileContent {
  readonly stat: Stats;
  /** What of the file there is to store; `undefined`: all of it. */
  readonly pieces: StoredContent['pieces'];
  readonly #descriptor: number;

  /** @throws Error when it can't be opened, or is no file any more. */
  constructor(root: string, path: BytePath) {
    this.#descriptor = openSync(diskPath(root, path), constants.O_RDONLY | constants.O_NOFOLLOW);
    this.stat = fstatSync(this.#descriptor);
    const isSparse = this.stat.size > holeBytes && this.stat.blocks * 512 < this.stat.size;
    this.pieces = isSparse ? this.#findPieces() : undefined;
  }

  /** Bytes there are to store. */
  get length(): number {
    return this.pieces?.reduce((sum, [, length]) => sum + length, 0) ?? this.stat.size;
  }

  *read(): Generator<Buffer> {
    for (const [start, length] of this.pieces ?? [[0, this.stat.size] as const])
      yield* this.#readRange(start, length);
  }

  /** Whether the file is still what it was when it was opened. */
  isUnchanged(): boolean {
    const { size, mtimeMs } = fstatSync(this.#descriptor);
    return size === this.stat.size && mtimeMs === this.stat.mtimeMs;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  *#readRange(start: number, length: number): Generator<Buffer> {
    for (let position = start; position < start + length; ) {
      const wanted = Math.min(readBytes, start + length - position);
      const count = readSync(this.#descriptor, buffer, 0, wanted, position);
      if (count === 0) return;
      yield buffer.subarray(0, count);
      position += count;
    }
  }

  /** Where the file has bytes other than zero, in whole blocks; `undefined` when it is in too many pieces. */
  #findPieces(): [number, number][] | undefined {
    const pieces: [number, number][] = [];
    let position = 0;
    for (const chunk of this.#readRange(0, this.stat.size)) {
      for (let at = 0; at < chunk.length; at += holeBytes) {
        const block = chunk.subarray(at, at + holeBytes);
        if (block.equals(zeros.subarray(0, block.length))) continue;
        const start = position + at;
        const last = pieces.at(-1);
        if (last !== undefined && last[0] + last[1] === start) last[1] += block.length;
        else pieces.push([start, block.length]);
        if (pieces.length > most) return undefined;
      }
      position += chunk.length;
    }
    return pieces;
  }
}
