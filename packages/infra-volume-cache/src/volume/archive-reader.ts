import { closeSync, readSync } from 'node:fs';

/** Small files are read many at a time; large ones in pieces of this size. */
const windowBytes = 2 * 1024 * 1024;

/** Reads bodies out of an archive, in the order of their places. */
export class ArchiveReader {
  readonly #descriptor: number;
  readonly #window = Buffer.allocUnsafe(windowBytes);
  #start = 0;
  #length = 0;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** The bytes of one body; fewer when the archive ends before. Each piece is good until the next is asked for. */
  *read(offset: number, length: number): Generator<Buffer> {
    const end = offset + length;
    for (let position = offset; position < end; ) {
      const isInWindow = position >= this.#start && position < this.#start + this.#length;
      const isWhole = end <= this.#start + this.#length;
      if (!isInWindow || (!isWhole && length <= windowBytes)) this.#fill(position);
      const at = position - this.#start;
      const count = Math.min(this.#length - at, end - position);
      if (count <= 0) return;
      yield this.#window.subarray(at, at + count);
      position += count;
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #fill(position: number): void {
    this.#start = position;
    this.#length = 0;
    while (this.#length < windowBytes) {
      const count = readSync(
        this.#descriptor,
        this.#window,
        this.#length,
        windowBytes - this.#length,
        position + this.#length,
      );
      if (count === 0) return;
      this.#length += count;
    }
  }
}
