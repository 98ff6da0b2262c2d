import { InvalidRequestError } from '../errors/invalid-request-error.ts';
import type { Job } from '../ports/job-queue.ts';
import type { FunctionCall, RequestPayload } from './function-call.ts';
import {
  type FunctionRequest,
  type FunctionRequestInput,
  functionRequestSchema,
} from './function-request.ts';
import { parseJson, refuseDeepJson } from './parse-json.ts';
import { validationMessage } from './validation-message.ts';

const encoder = new TextEncoder();

/**
 * Reads a FunctionRequest, bare or wrapped as `{"input": FunctionRequest}`, from JSON text (docs/reference/protocol.md, FunctionRequest and
 * Load-balancer entry).
 *
 * @param bytes - UTF-8 JSON; kept as it is for the Python side, so it must not be changed afterwards.
 * @throws InvalidRequestError when it is no JSON object, or names the field that is wrong.
 */
export function decodeFunctionCall(bytes: Uint8Array): FunctionCall {
  const body = parseObject(bytes);
  const requestAt = isObject(body.input) && body.function_name === undefined ? 'input' : 'root';
  const request = isObject(body.input) && requestAt === 'input' ? body.input : body;
  return toFunctionCall({ bytes, requestAt, request });
}

/** Decodes a request made up here, so that the first one that comes does not wait for what decoding has to load. */
export function rehearseDecoding(): void {
  functionCallFrom({ function_name: 'nobody', function_code: '' });
}

/**
 * The same for a request that exists as an object.
 *
 * @throws InvalidRequestError naming the field that is wrong.
 */
export function functionCallFrom(request: FunctionRequestInput): FunctionCall {
  return toFunctionCall({ bytes: encoder.encode(JSON.stringify(request)), requestAt: 'root', request });
}

/**
 * The same for a queue's job whose input is a FunctionRequest.
 *
 * @throws InvalidRequestError naming what is wrong.
 */
export function functionCallOfJob({ bytes, body }: Pick<Job, 'bytes' | 'body'>): FunctionCall {
  const { input } = body;
  if (!isObject(input)) {
    throw new InvalidRequestError('the job’s input must be a JSON object: a FunctionRequest', {
      malformed: true,
    });
  }
  refuseDeepJson(bytes, 'the job');
  return toFunctionCall({ bytes, requestAt: 'input', request: input });
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  const body = parseJson(bytes, 'the body');
  if (!isObject(body)) {
    throw new InvalidRequestError(
      'the body must be a JSON object: a FunctionRequest or {"input": FunctionRequest}',
      {
        malformed: true,
      },
    );
  }
  return body;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function toFunctionCall(payload: RequestPayload): FunctionCall {
  const parsed = functionRequestSchema.safeParse(payload.request);
  if (!parsed.success) {
    throw new InvalidRequestError(`invalid FunctionRequest: ${validationMessage(parsed.error)}`);
  }
  return mapRequest(parsed.data, payload);
}

/** The one place where wire names become the worker's names. */
function mapRequest(request: FunctionRequest, payload: RequestPayload): FunctionCall {
  const shared = {
    dependencies: request.dependencies,
    systemDependencies: request.system_dependencies,
    accelerateDownloads: request.accelerate_downloads,
    serializationFormat: request.serialization_format,
    payload,
  };
  if (request.execution_type === 'class') {
    return {
      kind: 'class',
      className: request.class_name ?? '',
      code: request.class_code || undefined,
      methodName: request.method_name,
      instanceId: request.instance_id || undefined,
      createNewInstance: request.create_new_instance,
      ...shared,
    };
  }
  return {
    kind: 'function',
    functionName: request.function_name ?? '',
    code: request.function_code || undefined,
    ...shared,
  };
}
