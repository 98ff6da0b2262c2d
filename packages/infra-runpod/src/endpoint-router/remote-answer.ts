import {
  functionResponseSchema,
  isDeeperThan,
  type RemoteEndpoint,
  type ResponseParts,
} from '@flash/worker-core';
import * as z from 'zod';

const jobSchema = z.lazy(() =>
  z.looseObject({
    id: z.string().optional().catch(undefined),
    status: z.string().optional().catch(undefined),
  }),
);

/** What an endpoint answered, read as far as is needed to go on. */
export type RemoteAnswer =
  | { readonly kind: 'ended'; readonly parts: ResponseParts }
  /** `runsync` did not wait for the job's end. */
  | { readonly kind: 'pending'; readonly jobId: string };

/** Most levels of nesting: V8 runs out of stack when it prints some 4400. */
const deepestAnswer = 4000;

const pending = new Set(['IN_QUEUE', 'IN_PROGRESS']);
const failed = new Set(['FAILED', 'CANCELLED', 'TIMED_OUT']);

/** Reads the answer of an endpoint; what can't be read is a failed call. */
export function readRemoteAnswer(form: RemoteEndpoint['form'], bytes: Buffer): RemoteAnswer {
  let body: unknown;
  if (isDeeperThan(bytes, deepestAnswer))
    return ended(failure(`its answer is nested more than ${deepestAnswer} levels deep`));
  try {
    body = JSON.parse(bytes.toString());
  } catch {
    return ended(failure(`its answer is not JSON: ${bytes.toString('utf8', 0, 300)}`));
  }
  if (form === 'route') return ended(plainResult(body));
  const job = jobSchema.safeParse(body);
  if (!job.success) return ended(failure(`its answer is no object: ${shown(body)}`));
  const { id, status, output, error } = job.data;
  if (status !== undefined && pending.has(status) && id !== undefined) return { kind: 'pending', jobId: id };
  if (form === 'function-request')
    return ended(functionResponse('output' in job.data ? output : job.data, status, error));
  return ended(handlerResult(status, output, error));
}

function ended(parts: ResponseParts): RemoteAnswer {
  return { kind: 'ended', parts };
}

export function failure(reason: string): ResponseParts {
  return { success: false, error: reason };
}

/** v1.0: the job's output, or the whole answer, is a FunctionResponse. */
function functionResponse(value: unknown, status: string | undefined, error: unknown): ResponseParts {
  const response = functionResponseSchema.safeParse(value);
  if (!response.success) {
    const said = error === undefined || error === null ? shown(value) : text(error);
    return failure(
      `${status === undefined ? 'it sent no FunctionResponse' : `its job is ${status}`}: ${said}`,
    );
  }
  const { success, result, json_result, stdout, instance_id, instance_info } = response.data;
  return {
    success,
    result: encoded(result, json_result),
    error: success
      ? undefined
      : response.data.error || (error ? text(error) : 'it failed and did not say why'),
    stdout: stdout ?? undefined,
    instanceId: instance_id ?? undefined,
    instanceInfo: instance_info ?? undefined,
  };
}

function encoded(base64: string | null, json: unknown): ResponseParts['result'] {
  if (base64 !== null) return { format: 'cloudpickle', base64: Buffer.from(base64) };
  return { format: 'json', json: Buffer.from(JSON.stringify(json ?? null)) };
}

/** v1.1: the job's output is what the function returned. */
function handlerResult(status: string | undefined, output: unknown, error: unknown): ResponseParts {
  if (error !== undefined && error !== null) return failure(text(error));
  if (status !== undefined && failed.has(status)) return failure(`its job is ${status}`);
  if (status === undefined && output === undefined)
    return failure('its answer has neither output nor status');
  // A generated handler answers in this form when the function has raised.
  const said =
    typeof output === 'object' && output !== null ? (output as { error?: unknown }).error : undefined;
  return said === undefined || said === null ? plainResult(output) : failure(text(said));
}

function plainResult(value: unknown): ResponseParts {
  return { success: true, result: { format: 'json', json: Buffer.from(JSON.stringify(value ?? null)) } };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 300);
}
