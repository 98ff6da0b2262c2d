import type { IncomingMessage } from 'node:http';
import { BodyError } from './body-error.ts';

export interface BodyBounds {
  /** Most bytes. */
  readonly maxBytes: number;
  /** The setting that says so, for people; default `FLASH_MAX_BODY_BYTES`. */
  readonly maxBytesSetting?: string;
  /** Time until the body is whole, in milliseconds; 0: no bound. */
  readonly timeoutMs: number;
}

/**
 * Reads a request's body.
 *
 * @throws BodyError as soon as it is known to be larger than allowed, or when it is not whole in time. What of it is still on its way is
 * not read then: see {@link discardBody}.
 */
export function readBody(request: IncomingMessage, bounds: BodyBounds): Promise<Buffer> {
  const { maxBytes, maxBytesSetting = 'FLASH_MAX_BODY_BYTES', timeoutMs } = bounds;
  if (Number(request.headers['content-length'] ?? 0) > maxBytes)
    return Promise.reject(BodyError.tooLarge(maxBytes, maxBytesSetting));
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let length = 0;
    const timer =
      timeoutMs > 0 ? setTimeout(() => refuse(BodyError.late(timeoutMs, length)), timeoutMs) : undefined;
    const refuse = (error: Error): void => {
      clearTimeout(timer);
      request.removeAllListeners('data');
      reject(error);
    };
    request.on('data', (piece: Buffer) => {
      length += piece.length;
      if (length > maxBytes) refuse(BodyError.tooLarge(maxBytes, maxBytesSetting));
      else pieces.push(piece);
    });
    request.on('end', () => {
      clearTimeout(timer);
      resolve(pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, length));
    });
    request.on('error', refuse);
  });
}

/**
 * Takes the rest of a body and forgets it, for at most `timeoutMs`. A connection that is closed while its client still writes gives the
 * client a broken pipe instead of the answer.
 */
export function discardBody(request: IncomingMessage, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, timeoutMs);
    const end = (): void => {
      clearTimeout(timer);
      resolve();
    };
    request.once('close', end);
    request.once('end', end);
    request.resume();
  });
}
