import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import type { Batch, BatchEnd, ExportThreadData } from './export-thread.ts';

const isSource = import.meta.url.endsWith('.ts');
const file = fileURLToPath(new URL(isSource ? './export-thread.ts' : './export-thread.js', import.meta.url));
/** In MB. A thread that does nothing but send needs no more, and has to end before it takes the worker's memory. */
const resourceLimits = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 };

/**
 * Sends batches of spans from a thread of its own, which is started with the first one.
 *
 * A client of HTTP beside the worker's server, in the same thread, has V8 see two kinds of connections in functions that are on the way of
 * every request: those become a twentieth slower at the median, a fifth at p99, for an export every few seconds. A thread has code of its own.
 */
export class ExportLine {
  readonly #data: ExportThreadData;
  readonly #waiting = new Map<number, PromiseWithResolvers<void>>();
  #thread: Worker | undefined;
  #next = 1;

  constructor(data: ExportThreadData) {
    this.#data = data;
  }

  /** Resolves when the batch was taken; rejects with the reason why it was not. */
  send(bytes: Uint8Array): Promise<void> {
    const number = this.#next++;
    const end = Promise.withResolvers<void>();
    this.#waiting.set(number, end);
    this.#thread ??= this.#start();
    this.#thread.postMessage({ number, bytes } satisfies Batch);
    return end.promise;
  }

  /** Gives up what is under way. */
  async close(): Promise<void> {
    await this.#thread?.terminate();
  }

  #start(): Worker {
    // Not imported: that would take 3 ms of every start, for what most workers never need.
    const { Worker } = process.getBuiltinModule('node:worker_threads');
    const thread = new Worker(file, { workerData: this.#data, resourceLimits });
    let reason = 'the thread that sends traces has ended';
    thread.on('message', ({ number, failure }: BatchEnd) => {
      const end = this.#waiting.get(number);
      this.#waiting.delete(number);
      if (failure === undefined) end?.resolve();
      else end?.reject(new Error(failure));
    });
    thread.on('error', (error) => {
      reason = `${reason}: ${(error as Error).message}`;
    });
    thread.once('exit', () => {
      this.#thread = undefined;
      for (const end of this.#waiting.values()) end.reject(new Error(reason));
      this.#waiting.clear();
    });
    // Nothing is kept waiting for traces.
    thread.unref();
    return thread;
  }
}
