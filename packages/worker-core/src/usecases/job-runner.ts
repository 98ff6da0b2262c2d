import { InvalidRequestError } from '../errors/invalid-request-error.ts';
import { WorkerError } from '../errors/worker-error.ts';
import type { RequestEvent } from '../output/request-log.ts';
import type { Job, JobOutcome } from '../ports/job-queue.ts';
import type { Span } from '../ports/tracer.ts';

/** Who follows a job while it is at work. */
export interface JobListeners {
  /** The span that the job's steps belong to. */
  readonly span?: Span | undefined;
  /** Receives system lines and user output. Must not throw. */
  readonly onEvent?: ((event: RequestEvent) => void) | undefined;
  /** Receives progress of the user's code; JSON text. Must not throw. */
  readonly onProgress?: ((json: Uint8Array) => void) | undefined;
  /** Receives each chunk of a streaming handler; JSON text. A rejection ends the job. */
  readonly onChunk?: ((json: Uint8Array) => Promise<void>) | undefined;
}

/** Runs one queue job and says what to report of it. */
export interface JobRunner {
  /** Never rejects for a reason of this job: a job that can't be run becomes an outcome with an `error`. */
  run(job: Job, listeners?: JobListeners): Promise<JobOutcome>;
}

/** What is reported of a job that could not be run. A bad request is the client's fault, anything else is the worker's. */
export function outcomeOf(error: unknown): JobOutcome {
  if (!(error instanceof WorkerError)) throw error;
  return {
    error: `${error.code}: ${error.message}`,
    isWorkerFault: !(error instanceof InvalidRequestError),
  };
}
