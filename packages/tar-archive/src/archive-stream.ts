import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { type Duplex, PassThrough, type Readable, Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { compressionOf, notTar } from './archive-format.ts';
import { BrokenArchiveError } from './broken-archive-error.ts';
import { decompressZstd } from './decompress-zstd.ts';
import { decompressWithPython, type Python } from './decompress-with-python.ts';

const headBytes = 512;
const pieceBytes = 256 * 1024;
/** An archive ends with two blocks of zeros. */
const endBytes = 1024;
const readAheadBytes = 1024 * 1024;

export interface DecompressOptions {
  /** Decompresses bzip2 and xz, and is asked for only then; without it such an archive is refused. */
  readonly python?: (() => Python) | undefined;
  /** Most bytes of memory that an archive of xz or zstd may want while it is decompressed. */
  readonly maxMemoryBytes: number;
}

/**
 * Opens an archive file; `unpack` is what its bytes have to go through, whatever it is compressed with.
 *
 * @throws BrokenArchiveError when it is neither a tar archive nor compressed in a way that is known here.
 */
export async function openArchive(
  path: string,
  { python, maxMemoryBytes }: DecompressOptions,
): Promise<{ source: Readable; unpack: Duplex }> {
  const compression = compressionOf(await readHead(path));
  if (compression === 'bzip2' || compression === 'xz') {
    if (python === undefined)
      throw new BrokenArchiveError(
        `it is compressed with ${compression}, and there is no Python to decompress it: set FLASH_PYTHON, or compress it with gzip`,
      );
    const source = decompressWithPython(python(), compression, path, maxMemoryBytes);
    return { source, unpack: new PassThrough() };
  }
  if (compression === 'zstd')
    return { source: decompressZstd(path, maxMemoryBytes), unpack: new PassThrough() };
  const source = createReadStream(path, { highWaterMark: readAheadBytes });
  return {
    source,
    unpack: compression === 'gzip' ? createGunzip({ chunkSize: pieceBytes }) : new PassThrough(),
  };
}

async function readHead(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  const { buffer, bytesRead } = await file
    .read(Buffer.alloc(headBytes), 0, headBytes, 0)
    .finally(() => file.close());
  return buffer.subarray(0, bytesRead);
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
    // The header comes in one piece, or it is no use to look at it.
    const problem =
      this.#bytes === 0 && chunk.length >= headBytes ? notTar(chunk.subarray(0, headBytes)) : undefined;
    if (problem !== undefined) {
      done(new BrokenArchiveError(problem));
      return;
    }
    this.#bytes += chunk.length;
    if (this.#bytes > this.#maxBytes) {
      const reason = `it holds more than the ${this.#maxBytes} bytes that are allowed`;
      done(new BrokenArchiveError(reason, { bound: 'bytes' }));
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
    const short = this.#bytes < headBytes ? notTar(this.#tail) : undefined;
    done(isWhole ? null : new BrokenArchiveError(short ?? 'it ends in the middle'));
  }
}
