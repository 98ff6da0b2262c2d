import type { Log } from '@flash/worker-core';
import { Heartbeat } from './heartbeat.ts';
import { QueueClient } from './queue-client.ts';
import { pingTemplate, pingUrl } from './queue-urls.ts';
import type { RunpodQueueSettings } from './settings.ts';

export interface OpenHeartbeatOptions {
  readonly settings: RunpodQueueSettings;
  readonly workerId: string;
  readonly log: Log;
  /** Ids of the jobs in progress. */
  readonly jobIds: () => readonly string[];
}

/**
 * The heartbeat of a worker that serves no queue (docs/reference/protocol.md, Ping); `undefined` when the platform gave no address.
 *
 * @throws SettingsError when the address can't be used.
 */
export function openHeartbeat(options: OpenHeartbeatOptions): { close(): Promise<void> } | undefined {
  const { settings, workerId } = options;
  const template = pingTemplate(settings);
  if (template === undefined) return undefined;
  const client = new QueueClient({
    apiKey: settings.RUNPOD_AI_API_KEY,
    maxAnswerBytes: settings.FLASH_MAX_TAKE_BYTES,
  });
  const heartbeat = new Heartbeat({
    ...options,
    client,
    url: (parameters) => pingUrl(template, workerId, parameters),
  });
  return {
    close: async () => {
      await heartbeat.close();
      await client.close();
    },
  };
}
