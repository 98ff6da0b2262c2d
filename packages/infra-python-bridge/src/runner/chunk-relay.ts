import { refusedChunk } from '../run/interruption.ts';
import type { Answer, Run } from '../run/run.ts';

export interface ChunkRelayOptions {
  /** Passes one chunk on. */
  readonly deliver: (json: Uint8Array) => Promise<void>;
  /** A chunk was passed on: there is room for another. */
  readonly onDelivered: () => void;
  /** A chunk was refused; the ones after it are dropped. */
  readonly onRefused: (error: Error) => void;
}

/** Passes the chunks of one stream on, one after the other. How many are here is bounded by the window the runner keeps to. */
export class ChunkRelay {
  readonly #options: ChunkRelayOptions;
  #last: Promise<void> = Promise.resolve();
  #error: Error | undefined;

  constructor(options: ChunkRelayOptions) {
    this.#options = options;
  }

  push(json: Uint8Array): void {
    this.#last = this.#last.then(() => this.#deliver(json));
  }

  /** Resolves when every chunk so far was passed on, with the error that ended the stream if one did. */
  async drained(): Promise<Error | undefined> {
    await this.#last;
    return this.#error;
  }

  async #deliver(json: Uint8Array): Promise<void> {
    if (this.#error !== undefined) return;
    try {
      await this.#options.deliver(json);
      this.#options.onDelivered();
    } catch (error) {
      this.#error = error as Error;
      this.#options.onRefused(this.#error);
    }
  }
}

/** The result comes after the chunks, also when those take longer than the run. */
export async function answerAfterChunks(run: Run, chunks: ChunkRelay, answer: Answer): Promise<void> {
  const error = await chunks.drained();
  run.answer(
    error === undefined ? answer : { ...answer, success: false, error: refusedChunk(error).message },
  );
}
