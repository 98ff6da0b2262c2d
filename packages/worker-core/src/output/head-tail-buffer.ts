import { joinBytes } from './join-bytes.ts';

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Keeps the beginning and the end of a byte stream within a bound, and counts what was cut between them. */
export class HeadTailBuffer {
  readonly #headBytes: number;
  readonly #tailBytes: number;
  readonly #setting: string;
  readonly #head: Uint8Array[] = [];
  #tail: Uint8Array[] = [];
  #headLength = 0;
  #tailLength = 0;
  #cut = 0;

  /**
   * @param maxBytes - bound for what is kept; half for the head, half for the tail.
   * @param setting - the setting that moves the bound, named in the line that says how much was cut.
   */
  constructor(maxBytes: number, setting: string) {
    this.#headBytes = Math.ceil(maxBytes / 2);
    this.#tailBytes = Math.floor(maxBytes / 2);
    this.#setting = setting;
  }

  /** What was left out so far; exact after {@link toString}. */
  get cutBytes(): number {
    return this.#cut;
  }

  get isEmpty(): boolean {
    return this.#headLength === 0;
  }

  append(bytes: Uint8Array): void {
    let rest = bytes;
    const room = this.#headBytes - this.#headLength;
    if (room > 0) {
      const part = rest.subarray(0, room);
      this.#head.push(part.slice());
      this.#headLength += part.length;
      rest = rest.subarray(part.length);
    }
    if (rest.length > 0) this.#appendTail(rest);
  }

  appendText(text: string): void {
    this.append(encoder.encode(text));
  }

  /** What was kept, as text; bytes that are no UTF-8 show as U+FFFD. */
  toString(): string {
    const head = decode(this.#head);
    if (this.#tailLength === 0) return head;
    this.#cut += this.#trimTail();
    const cut = this.#cut;
    const tail = decode(this.#tail);
    return cut === 0
      ? decode([...this.#head, ...this.#tail])
      : `${head}\n[… ${cut} bytes of output cut; raise ${this.#setting} to keep more …]\n${tail}`;
  }

  #appendTail(bytes: Uint8Array): void {
    // A flood comes in many small pieces: whole pieces are dropped here, and the exact cut is made once, when read.
    this.#tail.push(bytes.slice());
    this.#tailLength += bytes.length;
    if (this.#tailLength > 2 * this.#tailBytes + 65_536) this.#cut += this.#trimTail();
  }

  #trimTail(): number {
    let excess = this.#tailLength - this.#tailBytes;
    if (excess <= 0) return 0;
    const cut = excess;
    let first = 0;
    while (excess > 0) {
      const piece = this.#tail[first] as Uint8Array;
      if (piece.length > excess) {
        this.#tail[first] = piece.subarray(excess);
        break;
      }
      excess -= piece.length;
      first++;
    }
    this.#tail = this.#tail.slice(first);
    this.#tailLength -= cut;
    return cut;
  }
}

function decode(pieces: readonly Uint8Array[]): string {
  return decoder.decode(joinBytes(pieces));
}
