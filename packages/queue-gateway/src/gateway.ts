import type { AddressInfo } from 'node:net';
import type { Log } from '@flash/worker-core';
import { serve, type ServerType } from '@hono/node-server';
import { clientApi } from './client-api.ts';
import { InMemoryJobStore } from './in-memory-job-store.ts';
import type { JobStore } from './job-store.ts';
import type { GatewaySettings } from './settings.ts';
import { callWebhook } from './webhook.ts';

export interface GatewayOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly workerId: string;
  readonly settings: GatewaySettings;
  readonly log: Log;
}

/** A running gateway. */
export interface Gateway {
  readonly port: number;
  readonly store: JobStore;
  close(): Promise<void>;
}

/** Starts the queue API over a store in memory. */
export async function startGateway({
  host,
  port,
  workerId,
  settings,
  log,
}: GatewayOptions): Promise<Gateway> {
  const webhooks = new Set<Promise<void>>();
  const store = new InMemoryJobStore({
    maxQueued: settings.FLASH_GATEWAY_MAX_QUEUED,
    maxHistory: settings.FLASH_GATEWAY_HISTORY,
    maxHistoryBytes: settings.FLASH_GATEWAY_HISTORY_BYTES,
    maxLogBytes: settings.FLASH_GATEWAY_LOG_BYTES,
    onEnd: (record) => {
      if (record.options.webhook === undefined) return;
      const call = callWebhook(record.options.webhook, record, workerId, log).finally(() =>
        webhooks.delete(call),
      );
      webhooks.add(call);
    },
  });
  const app = clientApi({
    store,
    workerId,
    defaultEndpoint: 'local',
    maxBodyBytes: settings.FLASH_MAX_BODY_BYTES,
    runsyncWaitMs: settings.FLASH_GATEWAY_RUNSYNC_WAIT_MS,
  });
  const server = await listen(app.fetch, host, port);
  return {
    port: (server.address() as AddressInfo).port,
    store,
    close: async () => {
      await store.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        if ('closeAllConnections' in server) server.closeAllConnections();
      });
      await Promise.allSettled(webhooks);
    },
  };
}

function listen(
  fetch: (request: Request) => Response | Promise<Response>,
  host: string,
  port: number,
): Promise<ServerType> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname: host, port }, () => resolve(server));
    server.once('error', reject);
  });
}
