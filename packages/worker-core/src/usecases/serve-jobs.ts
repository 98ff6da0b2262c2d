import type { Job, JobOutcome, JobQueue } from '../ports/job-queue.ts';
import type { Log } from '../ports/log.ts';
import type { RequestEvent } from '../output/request-log.ts';
import type { RunJob } from './run-job.ts';

/** Takes jobs from a queue and keeps a fixed number of them at work. */
export class ServeJobs {
  readonly #queue: JobQueue;
  readonly #runJob: RunJob;
  readonly #log: Log;
  readonly #stopped = new AbortController();
  readonly #slots: Promise<void>[];

  /** @param concurrency - how many jobs may be in flight at once, at least 1. */
  constructor(queue: JobQueue, runJob: RunJob, log: Log, concurrency: number) {
    this.#queue = queue;
    this.#runJob = runJob;
    this.#log = log;
    this.#slots = Array.from({ length: concurrency }, () => this.#serveSlot());
  }

  /** Takes no more jobs, and resolves when those in flight have reported. */
  async drain(): Promise<void> {
    this.#stopped.abort();
    await Promise.all(this.#slots);
  }

  async #serveSlot(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        const job = await this.#queue.take(signal);
        if (job !== undefined) await this.#serve(job);
      } catch (error) {
        if (!signal.aborted) this.#log.write('error', 'a job could not be served', { error });
      }
    }
  }

  async #serve(job: Job): Promise<void> {
    const onEvent = (event: RequestEvent) =>
      this.#queue.progress(job, event.kind === 'system' ? `${event.line}\n` : event.text);
    const outcome = await this.#runJob.run(job, onEvent).catch((error: unknown): JobOutcome => {
      this.#log.write('error', 'a job failed for a reason of the worker', { jobId: job.id, error });
      return { error: `the worker failed while it ran this job: ${(error as Error).message}` };
    });
    if (!job.stop.aborted) await this.#queue.finish(job, outcome);
  }
}
