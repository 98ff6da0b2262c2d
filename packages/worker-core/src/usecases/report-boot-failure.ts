import type { JobOutcome } from '../ports/job-queue.ts';
import type { JobRunner } from './job-runner.ts';
import type { WorkerIdentity } from './run-handler-job.ts';

/**
 * Answers every job with why the deployed app can't be served: a worker that ended instead would be started again for ever, and its
 * client would never hear of it (docs/reference/protocol.md, Modes).
 */
export class ReportBootFailure implements JobRunner {
  readonly #error: string;

  constructor(failure: Error, { hostname, workerId, version }: WorkerIdentity) {
    this.#error = JSON.stringify({
      error_type: failure.name,
      error_message: failure.message,
      error_traceback: '',
      hostname,
      worker_id: workerId,
      runpod_version: version,
    });
  }

  async run(): Promise<JobOutcome> {
    return { error: this.#error };
  }
}
