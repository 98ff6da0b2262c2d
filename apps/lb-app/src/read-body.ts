import type { IncomingMessage } from 'node:http';
import { HttpError } from './http-error.ts';

/**
 * Reads a request's body.
 *
 * @throws HttpError 413 as soon as it is known to be larger than `maxBytes`.
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return Promise.reject(tooLarge(maxBytes));
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let length = 0;
    request.on('data', (piece: Buffer) => {
      length += piece.length;
      if (length > maxBytes) {
        request.removeAllListeners('data');
        reject(tooLarge(maxBytes));
      } else {
        pieces.push(piece);
      }
    });
    request.on('end', () =>
      resolve(pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, length)),
    );
    request.on('error', reject);
  });
}

/**
 * Takes the rest of a body and forgets it, for at most `timeoutMs`. A connection that is closed while its client still writes gives the
 * client a broken pipe instead of the answer.
 */
export function discardBody(request: IncomingMessage, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, timeoutMs);
    request.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    request.once('end', () => {
      clearTimeout(timer);
      resolve();
    });
    request.resume();
  });
}

function tooLarge(maxBytes: number): HttpError {
  return new HttpError(
    413,
    'BODY_TOO_LARGE',
    `the body is larger than ${maxBytes} bytes: send less, or raise FLASH_MAX_BODY_BYTES`,
  );
}
