import { InvalidRequestError, parseJson, validationMessage } from '@flash/worker-core';
import * as z from 'zod';
import type { JobOptions } from './job-record.ts';

const milliseconds = z.number().positive().max(2_147_483_647);

const submissionSchema = z.looseObject({
  input: z.unknown().refine((input) => input !== undefined && input !== null, 'required'),
  webhook: z.url({ protocol: /^https?$/ }).nullish(),
  policy: z.looseObject({ executionTimeout: milliseconds.nullish(), ttl: milliseconds.nullish() }).nullish(),
});

/** What names a FunctionRequest. */
const callSchema = z.looseObject({
  function_name: z.string().nullish(),
  class_name: z.string().nullish(),
  method_name: z.string().nullish(),
});
const longestLabel = 100;

/**
 * Reads what a client submits to `run` or `runsync` (docs/reference/protocol.md, Client API).
 *
 * @throws InvalidRequestError naming what is wrong.
 */
export function readSubmission(bytes: Uint8Array): JobOptions {
  const parsed = submissionSchema.safeParse(parseJson(bytes, 'the body'));
  if (!parsed.success)
    throw new InvalidRequestError(`the job can't be taken: ${validationMessage(parsed.error)}`);
  const { webhook, policy, input } = parsed.data;
  return {
    label: labelOf(input),
    webhook: webhook ?? undefined,
    executionTimeoutMs: policy?.executionTimeout ?? undefined,
    ttlMs: policy?.ttl ?? undefined,
  };
}

/** What a job asks for, in a word: a call's name; "" when the input is of the app's own shape. */
function labelOf(input: unknown): string {
  const call = callSchema.safeParse(input);
  if (!call.success) return '';
  const { function_name: name, class_name: className, method_name: method } = call.data;
  const label = className == null ? (name ?? '') : `${className}.${method ?? '__call__'}`;
  return label.slice(0, longestLabel);
}
