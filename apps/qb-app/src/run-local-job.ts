import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { InvalidRequestError, type JobOutcome } from '@flash/worker-core';
import type { Worker } from '@flash/worker-host';
import { z } from 'zod';

const localJobSchema = z.looseObject({ id: z.string().optional(), input: z.unknown() });

/** The result of a local run, as it is printed. */
export interface LocalResult {
  readonly output?: unknown;
  readonly error?: string;
}

export interface LocalRun {
  readonly result: LocalResult;
  /** 0 when the job has no error and its result is the expected one (contract, section 5). */
  readonly exitCode: 0 | 1;
}

/**
 * Runs one job given as JSON text.
 *
 * @param expected - JSON text of the result it must have, if any.
 * @throws InvalidRequestError when the job or the expectation is no JSON, or the job has no input.
 */
export async function runLocalJob(
  worker: Worker,
  text: string,
  expected: string | undefined,
): Promise<LocalRun> {
  const job = localJobSchema.safeParse(parse(text, 'the job'));
  if (!job.success || job.data.input === undefined || job.data.input === null) {
    throw new InvalidRequestError('the job must be a JSON object with an "input"');
  }
  const wanted = expected === undefined ? undefined : parse(expected, 'the expected result');
  const outcome = await worker.runJob.run({
    id: job.data.id ?? `local-${randomUUID()}`,
    bytes: new TextEncoder().encode(text),
    stop: new AbortController().signal,
  });
  const result = toResult(outcome);
  const isExpected = expected === undefined || isDeepStrictEqual(result, wanted);
  if (!isExpected)
    worker.log.write('error', 'the result is not the expected one (--test_output)', { result, wanted });
  return { result, exitCode: outcome.error === undefined && isExpected ? 0 : 1 };
}

function toResult({ outputJson, error }: JobOutcome): LocalResult {
  return {
    ...(outputJson === undefined
      ? {}
      : { output: JSON.parse(new TextDecoder().decode(outputJson)) as unknown }),
    ...(error === undefined ? {} : { error }),
  };
}

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InvalidRequestError(`${what} is not JSON: ${(cause as Error).message}`, {
      cause,
      malformed: true,
    });
  }
}
