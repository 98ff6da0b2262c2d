import { InvalidRequestError, validationMessage } from '@flash/worker-core';
import * as z from 'zod';
import type { JobOptions } from './job-record.ts';

const milliseconds = z.number().positive().max(2_147_483_647);

const submissionSchema = z.looseObject({
  input: z.unknown().refine((input) => input !== undefined && input !== null, 'required'),
  webhook: z.url({ protocol: /^https?$/ }).nullish(),
  policy: z.looseObject({ executionTimeout: milliseconds.nullish(), ttl: milliseconds.nullish() }).nullish(),
});

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads what a client submits to `run` or `runsync` (contract, section 5).
 *
 * @throws InvalidRequestError naming what is wrong.
 */
export function readSubmission(bytes: Uint8Array): JobOptions {
  let body: unknown;
  try {
    body = JSON.parse(decoder.decode(bytes));
  } catch (cause) {
    throw new InvalidRequestError('the body is not JSON', { cause, malformed: true });
  }
  const parsed = submissionSchema.safeParse(body);
  if (!parsed.success)
    throw new InvalidRequestError(`the job can't be taken: ${validationMessage(parsed.error)}`);
  const { webhook, policy } = parsed.data;
  return {
    webhook: webhook ?? undefined,
    executionTimeoutMs: policy?.executionTimeout ?? undefined,
    ttlMs: policy?.ttl ?? undefined,
  };
}
