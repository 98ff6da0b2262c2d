import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { PassThrough, type Readable, Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { BrokenArchiveError } from './broken-archive-error.ts';

const gzipMagic = Buffer.of(0x1f, 0x8b);
/** An archive ends with two blocks of zeros. */
const endBytes = 1024;
const readAheadBytes = 1024 * 1024;

/** Opens an archive file; `unpack` is what its bytes have to go through, gzip or not. */
export async function openArchive(path: string): Promise<{ source: Readable; unpack: Transform }> {
  const file = await open(path, 'r');
  const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0).finally(() => file.close());
  const isGzip = bytesRead === 2 && buffer.equals(gzipMagic);
  return {
    source: createReadStream(path, { highWaterMark: readAheadBytes }),
    unpack: isGzip ? createGunzip({ chunkSize: 256 * 1024 }) : new PassThrough(),
  };
}

/**
 * Passes a tar stream on, and fails when it is larger than allowed or does not end as an archive ends: one that was cut between two
 * members looks whole otherwise.
 */
export class WholeArchive extends Transform {
  readonly #maxBytes: number;
  #bytes = 0;
  #tail = Buffer.alloc(0);

  constructor(maxBytes: number) {
    super({ highWaterMark: readAheadBytes });
    this.#maxBytes = maxBytes;
  }

  override _transform(chunk: Buffer, _: string, done: (error?: Error | null, data?: Buffer) => void): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#maxBytes) {
      done(new BrokenArchiveError(`it holds more than the ${this.#maxBytes} bytes that are allowed`));
      return;
    }
    this.#tail =
      chunk.length >= endBytes
        ? Buffer.from(chunk.subarray(chunk.length - endBytes))
        : Buffer.concat([this.#tail, chunk]).subarray(-endBytes);
    done(null, chunk);
  }

  override _flush(done: (error?: Error | null) => void): void {
    const isWhole = this.#tail.length === endBytes && this.#tail.every((byte) => byte === 0);
    done(isWhole ? null : new BrokenArchiveError('it ends in the middle'));
  }
}
