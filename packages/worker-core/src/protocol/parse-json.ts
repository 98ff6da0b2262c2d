import { InvalidRequestError } from '../errors/invalid-request-error.ts';
import { isDeeperThan } from './scan-json.ts';

/** Python's own parser takes some 990 levels before 3.12, less what the runner has on its stack. */
const deepestJson = 900;
const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Parses JSON text that a client or a queue has sent. What it takes, Python takes too.
 *
 * @param what - names the text in errors, such as "the body".
 * @throws InvalidRequestError with the reason when it is no JSON, not UTF-8, or nested too deep.
 */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  const mark = byteOrderMark(bytes);
  if (mark !== undefined)
    throw malformed(`${what} begins with a byte order mark (${mark}): send JSON as UTF-8 without it`);
  refuseDeepJson(bytes, what);
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch (cause) {
    throw malformed(`${what} is not JSON: it is not UTF-8`, cause);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw malformed(`${what} is not JSON: ${(cause as Error).message.slice(0, 200)}`, cause);
  }
}

/** @throws InvalidRequestError for JSON text that is nested deeper than Python would read it. */
export function refuseDeepJson(bytes: Uint8Array, what: string): void {
  if (isDeeperThan(bytes, deepestJson))
    throw malformed(
      `${what} is nested more than ${deepestJson} levels deep: send it flatter, or as a string`,
    );
}

/** The text without the byte order mark that some servers put before it. */
export function withoutByteOrderMark(bytes: Uint8Array): Uint8Array {
  return isUtf8Mark(bytes) ? bytes.subarray(3) : bytes;
}

function byteOrderMark(bytes: Uint8Array): string | undefined {
  if (isUtf8Mark(bytes)) return 'EF BB BF';
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return 'FF FE, UTF-16';
  return first === 0xfe && second === 0xff ? 'FE FF, UTF-16' : undefined;
}

function isUtf8Mark(bytes: Uint8Array): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

function malformed(message: string, cause?: unknown): InvalidRequestError {
  return new InvalidRequestError(message, { cause, malformed: true });
}
