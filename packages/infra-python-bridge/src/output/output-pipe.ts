import { closeSync, constants, openSync, unlink } from 'node:fs';
import { Socket } from 'node:net';

const randomBytes = 23;

/**
 * The bytes that end a request's output. They begin with a zero byte, which text does not contain, so that {@link OutputPipe} seldom holds
 * output back to see whether an end mark follows. The others are random, so that no program prints them by chance. They are no secret: the
 * process that prints knows them.
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

  /** Hands over the bytes that were held back as the possible beginning of an end mark; called when no end mark will come. */
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
   * Opens the pipe for writing and closes it again. The system reports the end of a pipe only after some writer has closed it, and every
   * other writer may have done so before this reader came.
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
