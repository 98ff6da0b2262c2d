import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BodyError, discardBody, explainClientErrors, readBody, serverTimeouts } from '@flash/http-body';
import { InvalidRequestError, type Job, jobResultJson, parseQueueJob } from '@flash/worker-core';
import { openRunpodHeartbeat, type Worker } from '@flash/worker-host';
import pLimit from 'p-limit';
import { endRequested } from './end-request.ts';
import type { QbSettings } from './settings.ts';

/** A client that was refused may go on writing for so long before its connection is closed. */
const discardMs = 10_000;

/** Serves `POST /<endpoint>/realtime`: a job in, what would be posted of it out (docs/reference/protocol.md, Environment variables). */
export async function serveRealtime(
  worker: Worker,
  settings: QbSettings,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const asked = endRequested();
  const atWork = new Set<string>();
  const heartbeat = await openRunpodHeartbeat(worker, env, () => [...atWork]);
  await worker.start();
  const limit = pLimit(settings.RUNPOD_REALTIME_CONCURRENCY);
  const path = `/${settings.RUNPOD_ENDPOINT_ID ?? 'local'}/realtime`;
  const server = createServer(serverTimeouts(settings), (request, response) => {
    void answer(request, response).catch((error: Error) => {
      const status = statusOf(error);
      if (status === 500) worker.log.write('error', 'a realtime request failed', { error });
      reply(request, response, status, { error: status === 500 ? 'the worker failed' : error.message });
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST' || request.url?.split('?')[0] !== path)
      return reply(request, response, 404, { error: `only POST ${path} is served here` });
    const bytes = await readBody(request, {
      maxBytes: settings.FLASH_MAX_BODY_BYTES,
      timeoutMs: settings.FLASH_REQUEST_TIMEOUT_MS,
    });
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const { id, body, executionTimeoutMs } = parseQueueJob(bytes);
    const { authorization } = request.headers;
    const job: Job = {
      id: id ?? `realtime-${randomUUID()}`,
      bytes,
      body,
      executionTimeoutMs,
      authorization,
      stop: gone.signal,
    };
    atWork.add(job.id);
    const outcome = await limit(() => worker.jobRunner.run(job)).finally(() => atWork.delete(job.id));
    response.writeHead(200, { 'content-type': 'application/json' }).end(jobResultJson(outcome));
    if (!outcome.refreshWorker) return;
    worker.log.write('info', 'a job asked for a fresh worker: what runs user code is replaced', {
      jobId: job.id,
    });
    worker.renew();
  }

  explainClientErrors(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(settings.RUNPOD_REALTIME_PORT, settings.HOST, resolve);
  });
  worker.log.write('info', 'serving realtime requests', {
    path,
    port: (server.address() as AddressInfo).port,
  });
  await asked;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const timer = setTimeout(() => server.closeAllConnections(), settings.FLASH_DRAIN_MS);
  await closed;
  clearTimeout(timer);
  await heartbeat?.close();
}

function statusOf(error: Error): number {
  if (error instanceof BodyError) return error.status;
  return error instanceof InvalidRequestError ? 400 : 500;
}

/** Reads the rest of the body for a while, so that the client reads the answer. */
function reply(request: IncomingMessage, response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  if (request.complete) {
    response.writeHead(status, headers).end(text);
    return;
  }
  response.writeHead(status, { ...headers, connection: 'close' }).write(text);
  void discardBody(request, discardMs).then(() => response.end());
}
