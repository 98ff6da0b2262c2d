import type { Job, JobOutcome, JobQueue } from '@flash/worker-core';
import type { JobStore } from './job-store.ts';

/** JobQueue on a store in the same process: what a worker uses that serves its own local API. */
export class StoreJobQueue implements JobQueue {
  readonly #store: JobStore;

  constructor(store: JobStore) {
    this.#store = store;
  }

  async take(signal: AbortSignal): Promise<Job | undefined> {
    const { record, stop } = await this.#store.take(signal);
    // The store watches over executionTimeout itself, and ends the job through `stop`.
    return { id: record.id, bytes: record.bytes, executionTimeoutMs: undefined, stop };
  }

  progress(job: Job, text: string): void {
    this.#store.appendLog(job.id, text);
  }

  async finish(job: Job, outcome: JobOutcome): Promise<void> {
    await this.#store.finish(job.id, outcome);
  }
}
