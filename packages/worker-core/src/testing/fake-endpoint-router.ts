import { InvalidRequestError } from '../errors/invalid-request-error.ts';
import type { EndpointRouter, RemoteCallOptions, RemoteEndpoint } from '../ports/endpoint-router.ts';
import type { ResponseParts } from '../protocol/encoded-response.ts';
import type { FunctionCall } from '../protocol/function-call.ts';

/** A function of another endpoint. Throws to fail. */
export type FakeRemoteFunction = (kwargs: Readonly<Record<string, unknown>>) => unknown;

/** EndpointRouter to functions in this process. Arguments are plain JSON. */
export class FakeEndpointRouter implements EndpointRouter {
  readonly #functions: Readonly<Record<string, FakeRemoteFunction>>;
  /** Every endpoint that was called. */
  readonly called: RemoteEndpoint[] = [];
  isClosed = false;

  constructor(functions: Readonly<Record<string, FakeRemoteFunction>>) {
    this.#functions = functions;
  }

  async call(
    endpoint: RemoteEndpoint,
    call: FunctionCall,
    { signal }: RemoteCallOptions,
  ): Promise<ResponseParts> {
    const request = call.payload.request as { args?: unknown[]; kwargs?: Record<string, unknown> };
    if (endpoint.form !== 'function-request' && (request.args?.length ?? 0) > 0) {
      throw new InvalidRequestError('plain JSON endpoints take keyword arguments only');
    }
    this.called.push(endpoint);
    if (signal?.aborted) return { success: false, error: 'the call was cancelled' };
    const remote = this.#functions[call.kind === 'function' ? call.functionName : call.className];
    try {
      if (remote === undefined) throw new Error(`${endpoint.resource} has no such function`);
      const json = new TextEncoder().encode(JSON.stringify((await remote(request.kwargs ?? {})) ?? null));
      return { success: true, result: { format: 'json', json } };
    } catch (error) {
      return { success: false, error: (error as Error).message };
    }
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}
