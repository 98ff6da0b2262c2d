import { fileURLToPath } from 'node:url';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { type RestorationReport, restore, type Share } from '../restoration.ts';
import type { RestoreAnswer } from './restore-thread.ts';

const isSource = import.meta.url.endsWith('.ts');
const file = fileURLToPath(
  new URL(isSource ? './restore-thread.ts' : './restore-thread.js', import.meta.url),
);
/** Threads end when they had no work for this time. A worker needs them at its start, and hardly ever after. */
const idleMs = 30_000;

interface Waiting {
  readonly resolve: (report: RestorationReport) => void;
  readonly reject: (error: Error) => void;
}

interface Thread {
  readonly worker: Worker;
  isUp: boolean;
  /** Whether a restoration uses this thread. */
  isTaken: boolean;
  /** What it is at work on. */
  current: Waiting | undefined;
}

/** Restores shares in several threads at once; this thread is one of them. */
export class RestoreThreads {
  /** The other threads. */
  readonly #most: number;
  readonly #threads = new Set<Thread>();
  /** Called when a thread is free. */
  readonly #wanted: ((thread: Thread) => void)[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @param count - how many threads restore at once, this one included. */
  constructor(count: number) {
    this.#most = count - 1;
  }

  /** Starts the threads ahead of the first share. */
  warm(): void {
    while (this.#threads.size < this.#most) this.#start();
    this.#endWhenIdle();
  }

  /**
   * Calls `onRestored` as each share is done.
   *
   * @throws Error of the first share that failed; then none of them is at work any more.
   */
  async restoreAll<S extends Share>(
    shares: readonly S[],
    onRestored: (share: S, report: RestorationReport) => void,
  ): Promise<void> {
    const waiting = shares.values();
    let failure: Error | undefined;
    const lane = async (work: (share: S) => Promise<RestorationReport>) => {
      while (failure === undefined) {
        const { value: share, done } = waiting.next();
        if (done) return;
        try {
          onRestored(share, await work(share));
        } catch (error) {
          failure ??= error as Error;
        }
      }
    };
    const lanes = Math.min(this.#most, shares.length - 1);
    if (lanes > 0) this.warm();
    const here = async (share: S): Promise<RestorationReport> => {
      const report = restore(share);
      // Messages of the others come in between.
      await setImmediate();
      return report;
    };
    await Promise.all([
      ...Array.from({ length: Math.max(0, lanes) }, () => lane((share) => this.#restore(share))),
      lane(here),
    ]);
    this.#endWhenIdle();
    if (failure !== undefined) throw failure;
  }

  async #restore(share: Share): Promise<RestorationReport> {
    const thread = await this.#freeThread();
    return new Promise((resolve, reject) => {
      thread.current = { resolve, reject };
      thread.worker.postMessage(share);
    });
  }

  #freeThread(): Promise<Thread> {
    if (this.#threads.size < this.#most) this.#start();
    const free = [...this.#threads].find(({ isUp, isTaken }) => isUp && !isTaken);
    if (free === undefined) return new Promise((resolve) => this.#wanted.push(resolve));
    free.isTaken = true;
    return Promise.resolve(free);
  }

  #start(): void {
    // Small heaps: a thread holds one share.
    const worker = new Worker(file, { resourceLimits: { maxYoungGenerationSizeMb: 4 } });
    const thread: Thread = { worker, isUp: false, isTaken: false, current: undefined };
    this.#threads.add(thread);
    worker.unref();
    worker.on('online', () => {
      thread.isUp = true;
      this.#offer(thread);
    });
    worker.on('message', (answer: RestoreAnswer) => {
      const { current } = thread;
      thread.current = undefined;
      thread.isTaken = false;
      if (answer.kind === 'report') current?.resolve(answer.report);
      else current?.reject(Object.assign(new Error(answer.message), { code: answer.code }));
      this.#offer(thread);
    });
    worker.on('error', (error) => thread.current?.reject(error as Error));
    worker.on('exit', (code) => {
      this.#threads.delete(thread);
      thread.current?.reject(new Error(`a thread of the cache ended with code ${code}`));
      if (this.#wanted.length > 0) this.#start();
    });
  }

  #offer(thread: Thread): void {
    const wanted = this.#wanted.shift();
    if (wanted === undefined) return;
    thread.isTaken = true;
    wanted(thread);
  }

  #endWhenIdle(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      for (const { worker, isTaken } of this.#threads) if (!isTaken) void worker.terminate();
    }, idleMs).unref();
  }
}
