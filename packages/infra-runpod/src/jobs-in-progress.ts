import type { Job, QueueJob } from '@flash/worker-core';
import { ProgressChannel } from './progress-channel.ts';

/** Most ids of answered jobs that are remembered. */
const mostAnswered = 10_000;

interface Entry {
  readonly job: Job;
  readonly stop: AbortController;
  readonly progress: ProgressChannel;
  chunks: number;
}

export interface JobsInProgressOptions {
  /** A job delivered again within this time after its result is one delivered twice, in milliseconds. */
  readonly duplicateWindowMs: number;
  /** Sends one progress value of a job. */
  readonly sendProgress: (jobId: string, json: Uint8Array) => Promise<void>;
  readonly progressIntervalMs: number;
}

/** The jobs this worker has taken, from the take to the acknowledged result, and for a while what it has answered. */
export class JobsInProgress {
  readonly #options: JobsInProgressOptions;
  readonly #entries = new Map<string, Entry>();
  /** When each answer was acknowledged; oldest first. */
  readonly #answered = new Map<string, number>();

  constructor(options: JobsInProgressOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  get ids(): readonly string[] {
    return [...this.#entries.keys()];
  }

  get(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  /** Whether the job is at work here, or was answered a moment ago. */
  isKnown(id: string): boolean {
    const answeredAt = this.#answered.get(id);
    return (
      this.#entries.has(id) ||
      (answeredAt !== undefined && performance.now() - answeredAt < this.#options.duplicateWindowMs)
    );
  }

  add(id: string, bytes: Uint8Array, { body, executionTimeoutMs }: QueueJob): Job {
    const stop = new AbortController();
    const job: Job = { id, bytes, body, executionTimeoutMs, stop: stop.signal };
    const { sendProgress, progressIntervalMs } = this.#options;
    const progress = new ProgressChannel((json) => sendProgress(id, json), progressIntervalMs);
    this.#entries.set(id, { job, stop, progress, chunks: 0 });
    return job;
  }

  /** The job needs nothing more of this worker; `answered` says whether it has its result. */
  remove(id: string, answered: boolean): void {
    this.#entries.delete(id);
    if (answered) this.noteAnswer(id);
  }

  /** A result was acknowledged. */
  noteAnswer(id: string): void {
    this.#answered.delete(id);
    this.#answered.set(id, performance.now());
    if (this.#answered.size > mostAnswered)
      this.#answered.delete(this.#answered.keys().next().value as string);
  }
}
