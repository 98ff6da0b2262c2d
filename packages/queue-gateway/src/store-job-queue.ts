import { type Job, type JobOutcome, type JobQueue, parseQueueJob } from '@flash/worker-core';
import type { JobStore, Lease } from './job-store.ts';
import { jobText } from './job-text.ts';

const encoder = new TextEncoder();
const outputPoll = { firstMs: 5, longestMs: 200 };

/** JobQueue on a store in the same process: what a worker uses that serves its own local API. */
export class StoreJobQueue implements JobQueue {
  readonly #store: JobStore;
  readonly #workerId: string;

  constructor(store: JobStore, workerId: string) {
    this.#store = store;
    this.#workerId = workerId;
  }

  async take(wanted: number, signal: AbortSignal): Promise<readonly Job[]> {
    const leases = await this.#store.take({ workerId: this.#workerId, wanted, signal });
    const jobs: Job[] = [];
    for (const lease of leases) {
      try {
        jobs.push(jobOf(lease));
      } catch (error) {
        // A job that can't be read fails alone; the others are served.
        await this.#store.finish(lease.record.id, { error: (error as Error).message });
      }
    }
    return jobs;
  }

  logged(job: Job, text: string): void {
    this.#store.appendLog(job.id, text);
  }

  progress(job: Job, json: Uint8Array): void {
    this.#store.progress(job.id, json);
  }

  async stream(job: Job, chunkJson: Uint8Array): Promise<void> {
    let pauseMs = outputPoll.firstMs;
    while (!this.#store.appendChunk(job.id, chunkJson, undefined)) {
      job.stop.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      pauseMs = Math.min(pauseMs * 2, outputPoll.longestMs);
    }
  }

  async finish(job: Job, outcome: JobOutcome): Promise<void> {
    await this.#store.finish(job.id, outcome);
  }

  abandon(): void {
    // The store itself has stopped the job, and ended it.
  }
}

function jobOf({ record, stop }: Lease): Job {
  const bytes = encoder.encode(jobText(record));
  // The store watches over executionTimeout itself, and ends the job through `stop`.
  return { id: record.id, bytes, body: parseQueueJob(bytes).body, stop };
}
