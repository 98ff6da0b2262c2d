import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { InvalidRequestError, type JobOutcome, parseJson, parseQueueJob } from '@flash/worker-core';
import type { Worker } from '@flash/worker-host';

/** The result of a local run, as it is printed. */
export interface LocalResult {
  readonly output?: unknown;
  readonly error?: string;
}

export interface LocalRun {
  readonly result: LocalResult;
  /** 0 when the job has no error and its result is the expected one (docs/reference/protocol.md, Command line). */
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
  const bytes = new TextEncoder().encode(text);
  const { id, body, executionTimeoutMs } = parseQueueJob(bytes);
  if (body.input === undefined || body.input === null) {
    throw new InvalidRequestError('the job must be a JSON object with an "input"');
  }
  const wanted = expected === undefined ? undefined : parse(expected, 'the expected result');
  const chunks: unknown[] = [];
  const outcome = await worker.jobRunner.run(
    {
      id: id ?? `local-${randomUUID()}`,
      bytes,
      body,
      executionTimeoutMs,
      stop: new AbortController().signal,
    },
    { onChunk: async (json) => void chunks.push(fromJson(json)) },
  );
  // What a streaming handler yields is shown as one list: a local run has no client to stream it to.
  const result = toResult(outcome, outcome.isStream ? chunks : undefined);
  const isExpected = expected === undefined || isDeepStrictEqual(result, wanted);
  if (!isExpected)
    worker.log.write('error', 'the result is not the expected one (--test_output)', { result, wanted });
  return { result, exitCode: outcome.error === undefined && isExpected ? 0 : 1 };
}

function toResult({ outputJson, error }: JobOutcome, chunks: readonly unknown[] | undefined): LocalResult {
  const output = chunks ?? (outputJson === undefined ? undefined : fromJson(outputJson));
  return { ...(output === undefined ? {} : { output }), ...(error === undefined ? {} : { error }) };
}

function fromJson(json: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(json));
}

function parse(text: string, what: string): unknown {
  return parseJson(new TextEncoder().encode(text), what);
}
