/** Frames between the supervisor and a runner; the Python side is `flash_runner/protocol/frames.py`. */

const outgoingHead = 8;
const incomingHead = 14;
/** Bodies up to this length are copied behind the header: one write of both costs less than two. */
const smallBody = 64 * 1024;

/** Kinds of frames a runner sends. */
export const frameKind = {
  hello: 1,
  result: 2,
  output: 3,
  concurrent: 4,
  stale: 5,
  chunk: 6,
  progress: 7,
  imports: 8,
  retire: 9,
} as const;

/** Flags of a result. */
export const resultFlag = { success: 1, json: 2, endMark: 4, raw: 8 } as const;

/** One frame of a runner. Its bytes are views into what was received. */
export interface Frame {
  readonly kind: number;
  readonly flags: number;
  readonly requestId: number;
  readonly header: Buffer;
  readonly body: Buffer;
}

/** The pieces to write for one frame to a runner; its body is the `body` pieces one after the other. */
export function encodeFrame(header: string, body: readonly Uint8Array[] = []): readonly Uint8Array[] {
  const headerLength = Buffer.byteLength(header);
  const bodyLength = body.reduce((sum, piece) => sum + piece.length, 0);
  const small = bodyLength <= smallBody;
  const head = Buffer.allocUnsafe(outgoingHead + headerLength + (small ? bodyLength : 0));
  head.writeUInt32BE(headerLength, 0);
  head.writeUInt32BE(bodyLength, 4);
  head.write(header, outgoingHead);
  if (!small) return [head, ...body];
  let offset = outgoingHead + headerLength;
  for (const piece of body) {
    head.set(piece, offset);
    offset += piece.length;
  }
  return [head];
}

/** Cuts a byte stream into frames. A large frame is put together once, when its last piece has come. */
export class FrameReader {
  #pieces: Buffer[] = [];
  #length = 0;
  #needed = incomingHead;
  readonly #maxBytes: number;

  /** @param maxBytes - longest frame there can be; a longer one means that user code writes to the connection. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Takes the next piece of the stream and calls `onFrame` for each frame that is complete.
   *
   * @throws Error when the stream holds no frames.
   */
  push(piece: Buffer, onFrame: (frame: Frame) => void): void {
    let data = piece;
    if (this.#length > 0) {
      this.#pieces.push(piece);
      this.#length += piece.length;
      if (this.#length < this.#needed) return;
      data = Buffer.concat(this.#pieces, this.#length);
      this.#pieces = [];
      this.#length = 0;
    }
    let offset = 0;
    for (;;) {
      this.#needed = frameLength(data, offset);
      if (this.#needed > this.#maxBytes)
        throw new Error(`a frame of ${this.#needed} bytes can't be one of a runner`);
      if (data.length - offset < this.#needed) break;
      onFrame(frameAt(data, offset));
      offset += this.#needed;
    }
    if (offset < data.length) {
      this.#pieces.push(offset === 0 ? data : data.subarray(offset));
      this.#length = data.length - offset;
    }
  }
}

function frameLength(data: Buffer, offset: number): number {
  if (data.length - offset < incomingHead) return incomingHead;
  return incomingHead + data.readUInt32BE(offset + 6) + data.readUInt32BE(offset + 10);
}

function frameAt(data: Buffer, offset: number): Frame {
  const headerStart = offset + incomingHead;
  const bodyStart = headerStart + data.readUInt32BE(offset + 6);
  return {
    kind: data[offset] as number,
    flags: data[offset + 1] as number,
    requestId: data.readUInt32BE(offset + 2),
    header: data.subarray(headerStart, bodyStart),
    body: data.subarray(bodyStart, bodyStart + data.readUInt32BE(offset + 10)),
  };
}
