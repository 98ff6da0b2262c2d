import type { Job, JobOutcome } from '../ports/job-queue.ts';
import type { JobListeners, JobRunner } from './job-runner.ts';

/** Fields that tell a FunctionRequest from the plain JSON that a deployed handler takes. */
const fieldsOfRequests = ['execution_type', 'function_name', 'function_code', 'class_name', 'class_code'];

/**
 * Runs the jobs of a resource that has no handler here: FunctionRequests as anywhere, while plain JSON, which only the handler could take,
 * is answered with what is missing.
 */
export class RunWithoutHandler implements JobRunner {
  readonly #live: JobRunner;
  readonly #missing: JobRunner;

  /** @param missing - answers a job with the reason why there is no handler. */
  constructor(live: JobRunner, missing: JobRunner) {
    this.#live = live;
    this.#missing = missing;
  }

  run(job: Job, listeners?: JobListeners): Promise<JobOutcome> {
    return (asksForFunction(job.body.input) ? this.#live : this.#missing).run(job, listeners);
  }
}

function asksForFunction(input: unknown): boolean {
  return (
    typeof input === 'object' &&
    input !== null &&
    fieldsOfRequests.some((field) => Object.hasOwn(input, field))
  );
}
