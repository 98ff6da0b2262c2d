import { WorkerError } from '../errors/worker-error.ts';
import type { Job, JobOutcome } from '../ports/job-queue.ts';
import { decodeFunctionCall } from '../protocol/decode-function-call.ts';
import type { ExecuteRequest } from './execute-request.ts';
import { joinBytes } from '../output/join-bytes.ts';
import type { RequestEvent } from '../output/request-log.ts';

/** Runs one queue job whose input is a FunctionRequest, and says what to report (contract, section 5). */
export class RunJob {
  readonly #executeRequest: ExecuteRequest;

  constructor(executeRequest: ExecuteRequest) {
    this.#executeRequest = executeRequest;
  }

  /** Never rejects for a reason of this job: a request that can't be run becomes an outcome with an `error`. */
  async run(job: Job, onEvent?: (event: RequestEvent) => void): Promise<JobOutcome> {
    try {
      const response = await this.#executeRequest.execute(decodeFunctionCall(job.bytes), {
        requestId: job.id,
        signal: job.stop,
        timeoutMs: job.executionTimeoutMs,
        onEvent,
      });
      // The platform's own SDK lifts `error` out of a handler's answer, so that the job is FAILED.
      return {
        outputJson: joinBytes(response.toJsonChunks({ error: 'lifted' })),
        error: response.error ?? undefined,
      };
    } catch (error) {
      if (error instanceof WorkerError) return { error: `${error.code}: ${error.message}` };
      throw error;
    }
  }
}
