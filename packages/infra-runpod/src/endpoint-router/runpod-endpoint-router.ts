import { setTimeout as delay } from 'node:timers/promises';
import { type HttpAnswer, HttpCallError, HttpClient } from '@flash/http-client';
import {
  type EndpointRouter,
  type FunctionCall,
  type RemoteCallOptions,
  type RemoteEndpoint,
  type ResponseParts,
  SecretRedactor,
  workerVersion,
} from '@flash/worker-core';
import pRetry from 'p-retry';
import type { EndpointRouterSettings } from './settings.ts';
import { failure, readRemoteAnswer } from './remote-answer.ts';
import { type RemoteRequest, remoteRequest } from './remote-request.ts';

const [firstPauseMs, longestPauseMs] = [100, 2000];
const cancelTimeoutMs = 5000;

/** EndpointRouter on the platform's data plane (docs/reference/protocol.md, Routing). Connections are kept from call to call. */
export class RunpodEndpointRouter implements EndpointRouter {
  readonly #settings: EndpointRouterSettings;
  readonly #http: HttpClient;

  constructor(settings: EndpointRouterSettings) {
    const { RUNPOD_API_KEY: apiKey } = settings;
    this.#settings = settings;
    this.#http = new HttpClient({
      headers: {
        'user-agent': `flash-worker/${workerVersion}`,
        accept: 'application/json',
        ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      },
      secrets: [apiKey],
      maxAnswerBytes: settings.FLASH_MAX_REMOTE_BYTES,
      maxAnswerSetting: 'FLASH_MAX_REMOTE_BYTES',
    });
  }

  async call(
    endpoint: RemoteEndpoint,
    call: FunctionCall,
    { signal, timeoutMs = 0, trace, authorization }: RemoteCallOptions,
  ): Promise<ResponseParts> {
    const request = authorized(remoteRequest(endpoint, call, this.#dataPlane, trace), authorization);
    const { FLASH_REMOTE_TIMEOUT_MS, FLASH_SENTINEL_TIMEOUT } = this.#settings;
    const longestMs = endpoint.form === 'sentinel' ? FLASH_SENTINEL_TIMEOUT * 1000 : FLASH_REMOTE_TIMEOUT_MS;
    const endsAt = performance.now() + (timeoutMs > 0 ? Math.min(timeoutMs, longestMs) : longestMs);
    try {
      return this.#redacted(await this.#follow(endpoint, request, endsAt, signal), request);
    } catch (error) {
      return failure(`${endpoint.resource} could not be called: ${this.#explain(endpoint, error, signal)}`);
    }
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  /** An endpoint may repeat in its error what it was sent. */
  #redacted(parts: ResponseParts, { secrets = [] }: RemoteRequest): ResponseParts {
    if (parts.error === undefined) return parts;
    const redactor = new SecretRedactor([this.#settings.RUNPOD_API_KEY, ...secrets]);
    return { ...parts, error: redactor.redact(parts.error) };
  }

  get #dataPlane(): string {
    return this.#settings.RUNPOD_ENDPOINT_BASE_URL.replace(/\/+$/, '');
  }

  /** Sends the request, and asks after its job when the answer came before its end. */
  async #follow(
    endpoint: RemoteEndpoint,
    request: RemoteRequest,
    endsAt: number,
    signal: AbortSignal | undefined,
  ): Promise<ResponseParts> {
    let answer = readRemoteAnswer(endpoint.form, (await this.#send(request, endsAt, signal)).bytes);
    while (answer.kind === 'pending') {
      const { jobId } = answer;
      try {
        await delay(this.#settings.FLASH_REMOTE_POLL_MS, undefined, { signal });
        const status = {
          ...request,
          method: 'GET',
          url: jobUrl(request.url, 'status', jobId),
          body: undefined,
        };
        answer = readRemoteAnswer(endpoint.form, (await this.#send(status, endsAt, signal)).bytes);
      } catch (error) {
        await this.#cancel(request, jobId);
        throw error;
      }
    }
    return answer.parts;
  }

  /** Sends a request again only when it can't have been received. */
  #send(request: RemoteRequest, endsAt: number, signal: AbortSignal | undefined): Promise<HttpAnswer> {
    return pRetry(
      () =>
        this.#http.call({
          ...request,
          signal,
          timeoutMs: Math.max(1, Math.ceil(endsAt - performance.now())),
        }),
      {
        retries: this.#settings.FLASH_REMOTE_CONNECT_ATTEMPTS - 1,
        minTimeout: firstPauseMs,
        maxTimeout: longestPauseMs,
        factor: 2,
        randomize: true,
        signal,
        shouldRetry: ({ error }) =>
          error instanceof HttpCallError && error.neverSent && performance.now() < endsAt,
      },
    );
  }

  /** Cancels a job whose caller no longer waits. */
  async #cancel(request: RemoteRequest, jobId: string): Promise<void> {
    const url = jobUrl(request.url, 'cancel', jobId);
    await this.#http
      .call({ ...request, method: 'POST', url, body: undefined, timeoutMs: cancelTimeoutMs })
      .catch(() => {});
  }

  #explain(endpoint: RemoteEndpoint, error: unknown, signal: AbortSignal | undefined): string {
    if (signal?.aborted) return 'the call was cancelled';
    if (error instanceof HttpCallError && error.status === 404 && endpoint.form === 'sentinel') {
      return `it is not deployed in app ${endpoint.app}, environment ${endpoint.environment}: deploy it with flash deploy`;
    }
    return (error as Error).message;
  }
}

/** The same with the key that the call came with, which goes before the worker's own. */
function authorized(request: RemoteRequest, authorization: string | undefined): RemoteRequest {
  if (authorization === undefined) return request;
  const key = authorization.slice(authorization.indexOf(' ') + 1).trim();
  return {
    ...request,
    headers: { ...request.headers, authorization },
    // The longer one first: what is hidden of it is whole then.
    secrets: [authorization, key],
  };
}

/** `…/runsync` → `…/status/<id>`. */
function jobUrl(url: string, verb: 'status' | 'cancel', jobId: string): string {
  return `${url.replace(/\/run(sync)?$/, '')}/${verb}/${encodeURIComponent(jobId)}`;
}
