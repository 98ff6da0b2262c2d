import type { Socket } from 'node:net';
import { encodeFrame } from '../protocol/frames.ts';
import type { Hello } from '../protocol/runner-socket.ts';

/** The two connections of a runner's process: requests and answers on one, cancels on the other, so that no flood can delay them. */
export class RunnerConnection {
  #data: Socket | undefined;
  #control: Socket | undefined;
  #closed: Promise<void> = Promise.resolve();

  /** Whether both connections were made. */
  get isComplete(): boolean {
    return this.#data !== undefined && this.#control !== undefined;
  }

  /** Resolves when the process has closed the connection that its answers come on. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  attach(hello: Hello, socket: Socket): void {
    if (hello.channel === 'control') {
      this.#control = socket;
      return;
    }
    this.#data = socket;
    this.#closed = new Promise((resolve) => socket.once('close', () => resolve()));
  }

  /** @param header - JSON text. */
  send(header: string, body?: readonly Uint8Array[]): void {
    for (const piece of encodeFrame(header, body)) this.#data?.write(piece);
  }

  /** Asks the process to end a request; `again`: the request went on after the first time. */
  cancel(requestId: number, again: boolean): void {
    this.#control?.write(`${JSON.stringify(again ? { cancel: requestId, again } : { cancel: requestId })}\n`);
  }

  destroy(): void {
    this.#data?.destroy();
    this.#control?.destroy();
  }
}
