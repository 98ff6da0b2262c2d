import { closeSync, constants, openSync, unlink } from 'node:fs';
import { Socket } from 'node:net';

const randomBytes = 23;

/**
 * Ends a request's output. Begins with a byte that text does not have, so that hardly ever bytes are held back for it. It is to be told
 * from anything that is printed by chance, and no secret: the process that prints has it.
 */
export function newEndMark(): Buffer {
  const endMark = Buffer.alloc(1 + randomBytes);
  for (let index = 1; index <= randomBytes; index++) endMark[index] = Math.floor(Math.random() * 256);
  return endMark;
}

/** What a pipe reports: bytes, and the end marks that the runner puts between two requests. */
export interface OutputListener {
  onBytes(bytes: Buffer): void;
  onEndMark(): void;
}

/** The supervisor's end of a runner's named pipe, which is descriptor 1 and 2 of the runner and its children. */
export class OutputPipe {
  readonly #path: string;
  readonly #endMark: Buffer;
  readonly #socket: Socket;
  readonly #ended: Promise<void>;
  readonly #listener: OutputListener;
  #held: Buffer | undefined;

  constructor(path: string, endMark: Buffer, listener: OutputListener) {
    this.#path = path;
    this.#endMark = endMark;
    this.#listener = listener;
    this.#socket = new Socket({
      fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK),
      readable: true,
      writable: false,
    });
    this.#socket.on('data', (bytes: Buffer) => this.#take(bytes));
    // A pipe that fails has nothing more to say; the runner's exit is reported elsewhere.
    this.#socket.on('error', () => {});
    this.#ended = new Promise((resolve) => this.#socket.once('close', () => resolve()));
  }

  /** Hands over bytes that were held back because they looked like the beginning of a mark; for when no mark will come. */
  flush(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#listener.onBytes(held);
  }

  /** Resolves when every holder of the pipe has closed it. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /**
   * Has the end be seen also when every holder had closed the pipe before this one opened it: without a writer that comes and goes the
   * system reports none.
   */
  expectEnd(): void {
    try {
      closeSync(openSync(this.#path, constants.O_WRONLY | constants.O_NONBLOCK));
    } catch {
      // The pipe has no reader any more: its end was seen.
    }
  }

  /** Closes this end and removes the pipe's name. */
  close(): void {
    this.#socket.destroy();
    unlink(this.#path, () => {});
  }

  #take(bytes: Buffer): void {
    let rest = this.#held === undefined ? bytes : Buffer.concat([this.#held, bytes]);
    this.#held = undefined;
    for (;;) {
      const at = rest.indexOf(this.#endMark);
      if (at < 0) break;
      if (at > 0) this.#listener.onBytes(rest.subarray(0, at));
      this.#listener.onEndMark();
      rest = rest.subarray(at + this.#endMark.length);
    }
    const kept = this.#possibleEndMarkStart(rest);
    if (kept > 0) this.#held = rest.subarray(rest.length - kept);
    if (kept < rest.length) this.#listener.onBytes(rest.subarray(0, rest.length - kept));
  }

  /** How many bytes at the end may be the beginning of an end mark whose rest has not come yet. */
  #possibleEndMarkStart(bytes: Buffer): number {
    const longest = Math.min(this.#endMark.length - 1, bytes.length);
    for (let length = longest; length > 0; length--) {
      if (bytes.subarray(bytes.length - length).equals(this.#endMark.subarray(0, length))) return length;
    }
    return 0;
  }
}
