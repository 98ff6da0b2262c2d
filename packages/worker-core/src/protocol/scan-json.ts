const [quote, backslash, comma] = [0x22, 0x5c, 0x2c];
const [openArray, closeArray, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * Whether JSON text is nested more than `levels` deep. Looks at the bytes alone, in one pass without recursion: what parses or prints the value
 * may run out of stack.
 */
export function isDeeperThan(bytes: Uint8Array, levels: number): boolean {
  // Each level has two characters.
  if (bytes.length <= 2 * levels) return false;
  let depth = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === quote) at = endOfString(bytes, at);
    else if (byte === openArray || byte === openObject) {
      if (++depth > levels) return true;
    } else if (byte === closeArray || byte === closeObject) depth--;
  }
  return false;
}

/** The texts of the elements of a JSON array, which must be valid JSON; each is the bytes it came as. */
export function elementsOf(array: Uint8Array): Uint8Array[] {
  const elements: Uint8Array[] = [];
  const start = array.indexOf(openArray) + 1;
  const end = array.lastIndexOf(closeArray);
  let depth = 0;
  let from = start;
  for (let at = start; at < end; at++) {
    const byte = array[at];
    if (byte === quote) at = endOfString(array, at);
    else if (byte === openArray || byte === openObject) depth++;
    else if (byte === closeArray || byte === closeObject) depth--;
    else if (byte === comma && depth === 0) {
      elements.push(array.subarray(from, at));
      from = at + 1;
    }
  }
  const last = array.subarray(from, end);
  // `[]`, with spaces or without.
  if (elements.length > 0 || last.some((byte) => byte > 0x20)) elements.push(last);
  return elements;
}

/** Position of the quote that ends the string; of the last byte when none does. */
function endOfString(bytes: Uint8Array, start: number): number {
  for (let end = bytes.indexOf(quote, start + 1); end >= 0; end = bytes.indexOf(quote, end + 1)) {
    let escapes = 0;
    while (bytes[end - 1 - escapes] === backslash) escapes++;
    if (escapes % 2 === 0) return end;
  }
  return bytes.length;
}
