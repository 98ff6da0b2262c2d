import { joinBytes } from '../output/join-bytes.ts';
import type { Job, JobOutcome } from '../ports/job-queue.ts';
import { noSpan } from '../ports/tracer.ts';
import { functionCallOfJob } from '../protocol/decode-function-call.ts';
import type { ExecuteRequest } from './execute-request.ts';
import { type JobListeners, type JobRunner, outcomeOf } from './job-runner.ts';

/** Runs a queue job whose input is a FunctionRequest (docs/reference/protocol.md, Queue protocol). */
export class RunFunctionJob implements JobRunner {
  readonly #executeRequest: ExecuteRequest;

  constructor(executeRequest: ExecuteRequest) {
    this.#executeRequest = executeRequest;
  }

  async run(job: Job, { onEvent, onProgress, span = noSpan }: JobListeners = {}): Promise<JobOutcome> {
    try {
      const response = await this.#executeRequest.execute(functionCallOfJob(job), {
        requestId: job.id,
        signal: job.stop,
        timeoutMs: job.executionTimeoutMs,
        authorization: job.authorization,
        onEvent,
        onProgress,
        span,
      });
      const step = span.child('serialise');
      // The platform's own SDK lifts `error` out of a handler's answer, so that the job is FAILED.
      const outputJson = joinBytes(response.toJsonChunks({ error: 'lifted' }));
      step.end();
      return { outputJson, error: response.error ?? undefined };
    } catch (error) {
      return outcomeOf(error);
    }
  }
}
