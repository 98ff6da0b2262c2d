import type { ResponseParts } from '../protocol/encoded-response.ts';
import type { FunctionCall } from '../protocol/function-call.ts';
import type { TraceContext } from './tracer.ts';

/** Another endpoint, and how it wants to be called (docs/reference/protocol.md, Routing). */
export type RemoteEndpoint =
  /** v1.0: takes a FunctionRequest. */
  | { readonly form: 'function-request'; readonly resource: string; readonly url: string }
  /** v1.1 queue endpoint: takes the function's keyword arguments as plain JSON. */
  | { readonly form: 'queue'; readonly resource: string; readonly url: string; readonly takesMethod: boolean }
  /** v1.1 load-balanced endpoint: takes them at a route. */
  | {
      readonly form: 'route';
      readonly resource: string;
      readonly url: string;
      readonly method: string;
      readonly path: string;
    }
  /** The platform knows where it is. */
  | {
      readonly form: 'sentinel';
      readonly resource: string;
      readonly app: string;
      readonly environment: string;
      readonly takesMethod: boolean;
    };

export interface RemoteCallOptions {
  /** Lets go of the call; its outcome says so then. */
  readonly signal?: AbortSignal | undefined;
  /** Upper bound for this call, in milliseconds; the router's own applies too. */
  readonly timeoutMs?: number | undefined;
  /**
   * `Authorization` that the request came with, as it came; sent along in the place of the worker's own key, and kept out of every error.
   */
  readonly authorization?: string | undefined;
  /** Where in a trace the call is; sent along. */
  readonly trace?: TraceContext | undefined;
}

/** Calls functions of other endpoints. */
export interface EndpointRouter {
  /**
   * Runs one call elsewhere and resolves with its outcome; whatever goes wrong there or on the way is part of it. Nothing is sent again
   * that may have run.
   *
   * @throws InvalidRequestError when the call can't be said in the endpoint's form.
   */
  call(endpoint: RemoteEndpoint, call: FunctionCall, options: RemoteCallOptions): Promise<ResponseParts>;
  /** Ends every connection. */
  close(): Promise<void>;
}
