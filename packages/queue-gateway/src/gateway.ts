import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { explainClientErrors, serverTimeouts } from '@flash/http-body';
import type { Log, RunnerReport } from '@flash/worker-core';
import { serve, type ServerType } from '@hono/node-server';
import { clientApi } from './client-api.ts';
import { consoleApi } from './console/console-api.ts';
import { JobStatistics } from './console/job-statistics.ts';
import { InMemoryJobStore } from './in-memory-job-store.ts';
import type { Faults } from './faults.ts';
import type { JobStore } from './job-store.ts';
import type { GatewaySettings } from './settings.ts';
import { callWebhook } from './webhook.ts';
import { workerApi } from './worker-api.ts';
import { WorkerRegistry } from './worker-registry.ts';

/** Clients that read slowly have so long for their last answer, in milliseconds. */
const lastAnswersMs = 2000;
const sweepMs = 10;

export interface GatewayOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly settings: GatewaySettings;
  readonly log: Log;
  /** The worker in this process that serves every endpoint; without it workers come over HTTP. */
  readonly localWorkerId?: string | undefined;
  /** The runners of that worker, for the console. */
  readonly runners?: (() => Promise<readonly RunnerReport[]>) | undefined;
  /** What goes wrong on purpose with the calls of workers. */
  readonly faults?: Faults | undefined;
}

/** A running gateway. */
export interface Gateway {
  readonly port: number;
  readonly store: JobStore;
  readonly workers: WorkerRegistry;
  close(): Promise<void>;
}

/** Starts the queue API, and the console at `/`, over a store in memory. */
export async function startGateway({
  host,
  port,
  settings,
  log,
  localWorkerId,
  runners,
  faults,
}: GatewayOptions): Promise<Gateway> {
  const webhooks = new Set<Promise<void>>();
  const closing = new AbortController();
  const statistics = new JobStatistics();
  const store = new InMemoryJobStore({
    maxQueued: settings.FLASH_GATEWAY_MAX_QUEUED,
    maxHistory: settings.FLASH_GATEWAY_HISTORY,
    maxHistoryBytes: settings.FLASH_GATEWAY_HISTORY_BYTES,
    maxLogBytes: settings.FLASH_GATEWAY_LOG_BYTES,
    maxStreamBytes: settings.FLASH_GATEWAY_STREAM_BYTES,
    maxDeliveries: settings.FLASH_GATEWAY_MAX_DELIVERIES,
    onEnd: (record) => {
      const { createdAt, endedAt = createdAt } = record;
      statistics.note({ createdAt, endedAt, isCompleted: record.status === 'COMPLETED' });
      if (record.options.webhook === undefined) return;
      const call = callWebhook(record.options.webhook, record, log).finally(() => webhooks.delete(call));
      webhooks.add(call);
    },
  });
  const workers = new WorkerRegistry(settings.FLASH_GATEWAY_LEASE_MS);
  if (localWorkerId !== undefined) workers.serveAll(localWorkerId);
  const app = clientApi({
    store,
    workers,
    defaultEndpoint: 'local',
    maxBodyBytes: settings.FLASH_MAX_BODY_BYTES,
    bodyTimeoutMs: settings.FLASH_REQUEST_TIMEOUT_MS,
    runsyncWaitMs: settings.FLASH_GATEWAY_RUNSYNC_WAIT_MS,
  });
  app.route('/', consoleApi({ store, workers, statistics, runners }));
  app.route(
    '/',
    workerApi({
      store,
      workers,
      log,
      faults,
      pollMs: settings.FLASH_GATEWAY_POLL_MS,
      leaseMs: settings.FLASH_GATEWAY_LEASE_MS,
      maxResultBytes: settings.FLASH_GATEWAY_MAX_RESULT_BYTES,
      bodyTimeoutMs: settings.FLASH_REQUEST_TIMEOUT_MS,
      workerKey: settings.FLASH_GATEWAY_WORKER_KEY,
      closing: closing.signal,
    }),
  );
  const server = await listen(app.fetch, host, port, settings);
  explainClientErrors(server as Server);
  return {
    port: (server.address() as AddressInfo).port,
    store,
    workers,
    close: async () => {
      await store.close();
      closing.abort();
      await closeServer(server as Server);
      await Promise.allSettled(webhooks);
    },
  };
}

/** Every job has ended by now: a client that waited for one gets its answer before its connection is closed. */
async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A connection whose answer is out turns idle, and Node keeps it open then.
  const sweep = setInterval(() => server.closeIdleConnections(), sweepMs);
  const bound = setTimeout(() => server.closeAllConnections(), lastAnswersMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(bound);
}

function listen(
  fetch: (request: Request) => Response | Promise<Response>,
  host: string,
  port: number,
  settings: GatewaySettings,
): Promise<ServerType> {
  return new Promise((resolve, reject) => {
    const options = { fetch, hostname: host, port, serverOptions: serverTimeouts(settings) };
    const server = serve(options, () => resolve(server));
    server.once('error', reject);
  });
}
