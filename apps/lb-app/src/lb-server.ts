import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import {
  decodeFunctionCall,
  type EncodedResponse,
  withSpan,
  readTraceContext,
  type Span,
} from '@flash/worker-core';
import { explainClientErrors, readBody, serverTimeouts } from '@flash/http-body';
import { answerMetrics, type Worker } from '@flash/worker-host';
import { EventStream } from './event-stream.ts';
import { HttpError, toHttpError } from './http-error.ts';
import { refuse } from './refuse.ts';
import type { LbSettings } from './settings.ts';

const healthy = Buffer.from('{"status":"healthy"}');
const json = 'application/json';
const overHttp = ['http'];
/** Statuses of requests whose bodies are still on their way. */
const isUnread = new Set([408, 413]);
/** A result up to here goes out as text. */
const smallResultBytes = 64 * 1024;

/** Serves FunctionRequests over HTTP (docs/reference/protocol.md, Load-balancer entry). */
export class LbServer {
  readonly #worker: Worker;
  readonly #settings: LbSettings;
  readonly #server: Server;
  #isReady = false;
  #isDraining = false;

  constructor(worker: Worker, settings: LbSettings) {
    this.#worker = worker;
    this.#settings = settings;
    this.#server = createServer(
      {
        keepAliveTimeout: settings.FLASH_KEEP_ALIVE_MS,
        ...serverTimeouts(settings),
        noDelay: true,
      },
      (request, response) => void this.#serve(request, response),
    );
    explainClientErrors(this.#server);
  }

  /** Answers from here on; `/ping` says 204 until {@link markReady}. Resolves with the port. */
  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#settings.PORT, this.#settings.HOST, () =>
        resolve((this.#server.address() as AddressInfo).port),
      );
    });
  }

  markReady(): void {
    this.#isReady = true;
  }

  /** Takes no new connections and waits for requests in flight, up to FLASH_DRAIN_MS. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const waited = new AbortController();
    await Promise.race([
      closed,
      delay(this.#settings.FLASH_DRAIN_MS, undefined, { signal: waited.signal }),
    ]).catch(() => {});
    waited.abort();
    this.#server.closeAllConnections();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#route(request, response);
    } catch (error) {
      await this.#fail(request, response, error);
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split('?', 1)[0];
    const { bootFailure } = this.#worker;
    // The worker's figures are served also when the app fails.
    if (bootFailure !== undefined && path !== '/metrics')
      throw new HttpError(503, 'APP', bootFailure.message);
    switch (path) {
      case '/ping':
        requireMethod(request, 'GET', 'HEAD');
        return this.#ping(response);
      case '/execute':
        requireMethod(request, 'POST');
        return this.#execute(request, response);
      case '/metrics':
        requireMethod(request, 'GET', 'HEAD');
        return answerMetrics(this.#worker.metrics, request, response);
      default:
        throw new HttpError(
          404,
          'NOT_FOUND',
          `there is no ${path}: this worker serves GET /ping, POST /execute and GET /metrics`,
        );
    }
  }

  #ping(response: ServerResponse): void {
    if (!this.#isReady) {
      response.writeHead(204).end();
      return;
    }
    response.writeHead(200, { 'content-type': json, 'content-length': healthy.length }).end(healthy);
  }

  async #execute(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) gone.abort();
    });
    const requestId = requestIdOf(request);
    const { loading } = this.#worker.tracer;
    if (loading !== undefined) await loading;
    const span = this.#worker.tracer.begin('POST /execute', {
      parent: readTraceContext(request.headers),
      attributes: { 'flash.request_id': requestId },
    });
    let stream: EventStream | undefined;
    try {
      await withSpan(span, async () => {
        const body = await readBody(request, {
          maxBytes: this.#settings.FLASH_MAX_BODY_BYTES,
          timeoutMs: this.#settings.FLASH_REQUEST_TIMEOUT_MS,
        });
        this.#worker.metrics.count('flash_received_bytes_total', overHttp, body.length);
        const call = decodeFunctionCall(body);
        if (wantsEvents(request)) stream = this.#openStream(response);
        const { authorization } = request.headers;
        const options = { requestId, signal: gone.signal, span, onEvent: stream?.log, authorization };
        const answer = await this.#worker.executeRequest.execute(call, options);
        if (response.destroyed) return;
        if (stream === undefined) this.#answer(response, answer, span);
        else stream.finish(answer);
      });
    } catch (error) {
      // Too late for a status.
      if (!stream?.isOpen) throw error;
      stream.fail(this.#explain(error));
    } finally {
      stream?.close();
    }
  }

  #openStream(response: ServerResponse): EventStream {
    return new EventStream(response, {
      maxWaitingBytes: this.#settings.FLASH_LIVE_LOG_BYTES,
      keepAliveMs: this.#settings.FLASH_LIVE_KEEP_ALIVE_MS,
    });
  }

  #answer(response: ServerResponse, answer: EncodedResponse, span: Span): void {
    const step = span.child('serialise');
    // A connection that was kept would hold up the end of the process.
    if (this.#isDraining) response.setHeader('connection', 'close');
    if (answer.resultBytes <= smallResultBytes) {
      // Text goes out together with the headers, in one system call.
      const text = answer.toJson();
      step.end();
      const length = Buffer.byteLength(text);
      this.#worker.metrics.count('flash_sent_bytes_total', overHttp, length);
      response.writeHead(200, { 'content-type': json, 'content-length': length }).end(text);
      return;
    }
    const pieces = answer.toJsonChunks();
    step.end();
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    this.#worker.metrics.count('flash_sent_bytes_total', overHttp, length);
    response.writeHead(200, { 'content-type': json, 'content-length': length });
    for (const piece of pieces) response.write(piece);
    response.end();
  }

  async #fail(request: IncomingMessage, response: ServerResponse, error: unknown): Promise<void> {
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    const refusal = this.#explain(error);
    if (isUnread.has(refusal.status)) response.setHeader('connection', 'close');
    await refuse(request, response, refusal);
  }

  /** The status and body that the client gets; an error without an error class of ours is logged. */
  #explain(error: unknown): HttpError {
    const known = toHttpError(error);
    if (known === undefined)
      this.#worker.log.write('error', 'a request failed for a reason of the worker', { error });
    const told = known ?? new HttpError(500, 'INTERNAL', 'the worker failed; see its log');
    this.#worker.metrics.count('flash_refusals_total', [told.code]);
    return told;
  }
}

function requireMethod(request: IncomingMessage, ...allowed: readonly string[]): void {
  if (allowed.includes(request.method ?? '')) return;
  throw new HttpError(405, 'METHOD_NOT_ALLOWED', `${request.url} takes ${allowed.join(' or ')}`, {
    allow: allowed.join(', '),
  });
}

function wantsEvents(request: IncomingMessage): boolean {
  return request.headers.accept?.includes('text/event-stream') ?? false;
}

function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && given !== '' ? given.slice(0, 200) : randomUUID();
}
