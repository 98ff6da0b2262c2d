import type { Job, JobBody, JobOutcome, JobQueue } from '../ports/job-queue.ts';

/** What a fake queue knows of one job. */
export interface FakeJob {
  readonly id: string;
  readonly chunks: unknown[];
  readonly progress: unknown[];
  log: string;
  /** How often the worker said that it is over: with a result, or without one. */
  ends: number;
  /** Resolves with the result; with `undefined` when the worker let go of the job. */
  readonly ended: Promise<JobOutcome | undefined>;
  /** Has the worker stop it. */
  stop(): void;
}

interface Entry extends FakeJob {
  readonly end: (outcome: JobOutcome | undefined) => void;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** JobQueue in memory, for tests of what serves jobs. */
export class FakeJobQueue implements JobQueue {
  readonly #waiting: Job[] = [];
  readonly #entries = new Map<string, Entry>();
  readonly #takers = new Set<() => void>();
  /** How many jobs each take asked for. */
  readonly takes: number[] = [];
  /** When set, every take rejects with it. */
  failure: Error | undefined;
  #number = 0;

  /** Puts a job into the queue. */
  submit(input: unknown, more: JobBody = {}): FakeJob {
    const id = `job-${++this.#number}`;
    const body = { ...more, id, ...(input === undefined ? {} : { input }) };
    const stop = new AbortController();
    const { promise, resolve } = Promise.withResolvers<JobOutcome | undefined>();
    const entry: Entry = {
      id,
      chunks: [],
      progress: [],
      log: '',
      ends: 0,
      ended: promise,
      stop: () => stop.abort(),
      end: resolve,
    };
    this.#entries.set(id, entry);
    this.#waiting.push({ id, body, bytes: encoder.encode(JSON.stringify(body)), stop: stop.signal });
    for (const wake of this.#takers) wake();
    return entry;
  }

  async take(wanted: number, signal: AbortSignal): Promise<readonly Job[]> {
    this.takes.push(wanted);
    for (;;) {
      signal.throwIfAborted();
      if (this.failure !== undefined) throw this.failure;
      if (this.#waiting.length > 0) return this.#waiting.splice(0, wanted);
      await this.#change(signal);
    }
  }

  logged(job: Job, text: string): void {
    this.#entry(job).log += text;
  }

  progress(job: Job, json: Uint8Array): void {
    const entry = this.#entry(job);
    if (entry.ends === 0) entry.progress.push(JSON.parse(decoder.decode(json)));
  }

  async stream(job: Job, chunkJson: Uint8Array): Promise<void> {
    this.#entry(job).chunks.push(JSON.parse(decoder.decode(chunkJson)));
  }

  async finish(job: Job, outcome: JobOutcome): Promise<void> {
    this.#end(job, outcome);
  }

  abandon(job: Job): void {
    this.#end(job, undefined);
  }

  /** Resolves when there may be a job, or the signal aborts. */
  async #change(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#takers.add(resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    this.#takers.delete(resolve);
  }

  #entry(job: Job): Entry {
    const entry = this.#entries.get(job.id);
    if (entry === undefined) throw new Error(`there is no ${job.id}`);
    return entry;
  }

  #end(job: Job, outcome: JobOutcome | undefined): void {
    const entry = this.#entry(job);
    entry.ends++;
    entry.end(outcome);
  }
}
