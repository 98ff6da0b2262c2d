import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InvalidRequestError, type Job, jobResultJson, joinBytes, parseQueueJob } from '@flash/worker-core';
import { openRunpodHeartbeat, type Worker } from '@flash/worker-host';
import pLimit from 'p-limit';
import { endRequested } from './end-request.ts';
import type { QbSettings } from './settings.ts';

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
  const server = createServer((request, response) => {
    void answer(request, response).catch((error: Error) => {
      const isBad = error instanceof InvalidRequestError;
      if (!isBad) worker.log.write('error', 'a realtime request failed', { error });
      reply(response, error instanceof BodyTooLargeError ? 413 : isBad ? 400 : 500, {
        error: isBad ? error.message : 'the worker failed',
      });
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST' || request.url?.split('?')[0] !== path)
      return reply(response, 404, { error: `only POST ${path} is served here` });
    const bytes = await readBody(request, settings.FLASH_MAX_BODY_BYTES);
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

class BodyTooLargeError extends InvalidRequestError {}

async function readBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of request as AsyncIterable<Uint8Array>) {
    length += piece.length;
    // The rest is read and dropped, so that the client hears why.
    if (length <= maxBytes) pieces.push(piece);
  }
  if (length > maxBytes)
    throw new BodyTooLargeError(`the body is larger than ${maxBytes} bytes (FLASH_MAX_BODY_BYTES)`);
  return joinBytes(pieces);
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
