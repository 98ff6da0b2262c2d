import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createZstdDecompress } from 'node:zlib';

/** `ZSTD_d_windowLogMax`. In a bundle, what is no function of `node:zlib` can't be had. */
const largestWindow = 100;
const [smallestLog, largestLog] = [10, 31];
const readAheadBytes = 1024 * 1024;
const pieceBytes = 256 * 1024;

/** What a zstd file holds; it may be several frames, one after the other, of which Node's decompressor takes the first. */
export function decompressZstd(path: string, maxMemoryBytes: number): Readable {
  const log = Math.max(smallestLog, Math.min(largestLog, Math.floor(Math.log2(maxMemoryBytes))));
  async function* decompressed(): AsyncGenerator<Buffer> {
    const { size } = await stat(path);
    for (let start = 0; start < size; ) {
      const file = createReadStream(path, { start, highWaterMark: readAheadBytes });
      const frame = createZstdDecompress({ chunkSize: pieceBytes, params: { [largestWindow]: log } });
      file.on('error', (error) => frame.destroy(error));
      // Bytes after a frame's end belong to the next frame.
      frame.on('error', () => {});
      try {
        yield* file.pipe(frame) as AsyncIterable<Buffer>;
        // Nothing but this decompressor says how long a frame is.
        start += frame.bytesWritten;
      } finally {
        file.destroy();
        frame.destroy();
      }
    }
  }
  return Readable.from(decompressed(), { objectMode: false });
}
