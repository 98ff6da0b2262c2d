import {
  type FunctionCall,
  InvalidRequestError,
  type RemoteEndpoint,
  type TraceContext,
} from '@flash/worker-core';

/** An HTTP request to another endpoint. */
export interface RemoteRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
  /** Kept out of every error. */
  readonly secrets?: readonly string[] | undefined;
}

/** A FunctionRequest as far as it matters here, with its wire names. */
interface WireRequest {
  readonly args?: readonly unknown[] | null;
  readonly kwargs?: Readonly<Record<string, unknown>> | null;
  readonly method_name?: string | null;
}

/**
 * A call in the form its endpoint takes (docs/reference/protocol.md, Routing).
 *
 * @param dataPlane - base URL under which the platform finds endpoints by name.
 * @param trace - goes along in headers, and as `metadata` in a FunctionRequest or beside another input.
 * @throws InvalidRequestError when the call can't be said in that form.
 */
export function remoteRequest(
  endpoint: RemoteEndpoint,
  call: FunctionCall,
  dataPlane: string,
  trace?: TraceContext,
): RemoteRequest {
  const carrier = trace && carrierOf(trace);
  const request = inItsForm(endpoint, call, dataPlane, carrier);
  return carrier === undefined ? request : { ...request, headers: { ...request.headers, ...carrier } };
}

function carrierOf({ traceparent, tracestate }: TraceContext): Record<string, string> {
  return tracestate === undefined ? { traceparent } : { traceparent, tracestate };
}

function inItsForm(
  endpoint: RemoteEndpoint,
  call: FunctionCall,
  dataPlane: string,
  carrier: Readonly<Record<string, string>> | undefined,
): RemoteRequest {
  // A queue hands on what is in a job, and no headers.
  const metadata = carrier === undefined ? {} : { metadata: carrier };
  switch (endpoint.form) {
    case 'function-request':
      return post(endpoint.url, { input: { ...metadata, ...withoutNulls(call.payload.request) } });
    case 'queue':
      return post(runsyncUrl(endpoint.url), { input: plainInput(call, endpoint.takesMethod), ...metadata });
    case 'sentinel':
      return post(
        `${dataPlane}/flash/runsync`,
        { input: plainInput(call, endpoint.takesMethod), ...metadata },
        {
          'x-flash-app': endpoint.app,
          'x-flash-environment': endpoint.environment,
          'x-flash-endpoint': endpoint.resource,
        },
      );
    case 'route':
      return routeRequest(endpoint, plainArguments(call));
  }
}

function post(url: string, body: object, headers: Record<string, string> = {}): RemoteRequest {
  return {
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(JSON.stringify(body)),
  };
}

/** Parameters of the path come from the arguments; without a body the rest goes into the query. */
function routeRequest(
  { url, method, path }: RemoteEndpoint & { form: 'route' },
  values: Readonly<Record<string, unknown>>,
): RemoteRequest {
  const rest = { ...values };
  const filled = path.replaceAll(/\{(\w+)(?::\w+)?\}/g, (place, name: string) => {
    if (!(name in rest)) throw new InvalidRequestError(`the route ${path} wants for an argument "${name}"`);
    const value = rest[name];
    delete rest[name];
    return encodeURIComponent(String(value)) || place;
  });
  const target = `${url.replace(/\/+$/, '')}${filled}`;
  if (method !== 'GET' && method !== 'HEAD') return { ...post(target, rest), method };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(rest)) {
    for (const one of Array.isArray(value) ? value : [value]) query.append(name, text(one));
  }
  return { method, url: query.size === 0 ? target : `${target}?${query}`, headers: {}, body: undefined };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function runsyncUrl(url: string): string {
  const base = url.replace(/\/+$/, '');
  return /\/run(sync)?$/.test(base) ? base.replace(/\/run$/, '/runsync') : `${base}/runsync`;
}

/** What a generated handler takes. The platform drops an empty input, and with it the job: something must stand there. */
function plainInput(call: FunctionCall, takesMethod: boolean): object {
  const values = plainArguments(call);
  const method = takesMethod
    ? { method: (call.payload.request as WireRequest).method_name ?? '__call__' }
    : {};
  return { ...method, ...(Object.keys(values).length === 0 ? { __empty: true } : values) };
}

function plainArguments({ serializationFormat, payload }: FunctionCall): Readonly<Record<string, unknown>> {
  const { args, kwargs } = payload.request as WireRequest;
  const isPlain = serializationFormat === 'json';
  if ((args?.length ?? 0) > 0 || (!isPlain && Object.keys(kwargs ?? {}).length > 0)) {
    throw new InvalidRequestError(
      'this function is deployed at an endpoint that takes plain JSON: send keyword arguments with serialization_format "json"',
    );
  }
  return kwargs ?? {};
}

function withoutNulls(request: object): object {
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== null));
}
