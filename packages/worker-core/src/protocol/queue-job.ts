import * as z from 'zod';
import { InvalidRequestError } from '../errors/invalid-request-error.ts';
import type { JobBody } from '../ports/job-queue.ts';
import { parseJson } from './parse-json.ts';

/** Longest time a timer takes, in milliseconds. */
const longestMs = 2_147_483_647;

const jobSchema = z.lazy(() =>
  z.looseObject({
    id: z.string().min(1).optional().catch(undefined),
    // A policy that makes no sense must not cost the job: it is as good as none.
    policy: z
      .looseObject({ executionTimeout: z.number().positive().max(longestMs).optional().catch(undefined) })
      .optional()
      .catch(undefined),
  }),
);

/** What the worker reads of a queue's job; all else in it is the handler's business. */
export interface QueueJob {
  readonly id: string | undefined;
  readonly body: JobBody;
  readonly executionTimeoutMs: number | undefined;
}

/**
 * Reads a job's JSON text (docs/reference/protocol.md, Take).
 *
 * @throws InvalidRequestError when it is no JSON object.
 */
export function parseQueueJob(bytes: Uint8Array): QueueJob {
  return readQueueJob(parseJson(bytes, 'the job'));
}

/**
 * The same for a job that is parsed already.
 *
 * @throws InvalidRequestError when it is no object.
 */
export function readQueueJob(body: unknown): QueueJob {
  const job = jobSchema.safeParse(body);
  if (!job.success) throw new InvalidRequestError('the job is not a JSON object', { malformed: true });
  return {
    id: job.data.id,
    body: body as JobBody,
    executionTimeoutMs: job.data.policy?.executionTimeout,
  };
}
