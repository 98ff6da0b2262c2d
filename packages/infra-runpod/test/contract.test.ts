import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gatewaySettingsSchema, startGateway, StoreJobQueue } from '@flash/queue-gateway';
import { jobQueueContract, type QueueUnderTest, RecordingLog } from '@flash/worker-core/testing';
import { describe, it } from '@jest/globals';
import { RunpodJobQueue } from '../src/index.ts';
import { runpodQueueSettingsSchema } from '../src/settings.ts';

/** A gateway with its client's side; `open` gives the worker's. */
async function underTest(
  open: (
    base: string,
    store: StoreJobQueue,
  ) => Promise<{ queue: QueueUnderTest['queue']; close: () => Promise<void> }>,
): Promise<QueueUnderTest> {
  const log = new RecordingLog();
  const settings = gatewaySettingsSchema.parse({ FLASH_GATEWAY_POLL_MS: '200' });
  const gateway = await startGateway({ host: '127.0.0.1', port: 0, settings, log });
  const base = `http://127.0.0.1:${gateway.port}/v2/ep`;
  const opened = await open(base, new StoreJobQueue(gateway.store, 'local'));
  const post = async (path: string, body?: unknown): Promise<Record<string, unknown>> => {
    const response = await fetch(`${base}/${path}`, { method: 'POST', body: JSON.stringify(body ?? {}) });
    return (await response.json()) as Record<string, unknown>;
  };
  return {
    queue: opened.queue,
    submit: async (input) => {
      const { id } = (await post('run', { input })) as { id: string };
      return {
        id,
        result: async () => {
          for (;;) {
            const { status, output, error } = await post(`status/${id}`);
            if (status === 'COMPLETED' || status === 'FAILED')
              return {
                ...(output === undefined ? {} : { output }),
                ...(error ? { error: error as string } : {}),
              };
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
        },
        chunks: async () =>
          ((await post(`stream/${id}`)).stream as { output: unknown }[]).map(({ output }) => output),
        stop: async () => void (await post(`cancel/${id}`)),
      };
    },
    close: async () => {
      await opened.close();
      await gateway.close();
    },
  };
}

describe('RunpodJobQueue keeps the contract of JobQueue', () => {
  const make = () =>
    underTest(async (base) => {
      const directory = await mkdtemp(join(tmpdir(), 'flash-test-'));
      const settings = runpodQueueSettingsSchema.parse({
        RUNPOD_WEBHOOK_GET_JOB: `${base}/job-take/$ID`,
        RUNPOD_WEBHOOK_POST_OUTPUT: `${base}/job-done/$RUNPOD_POD_ID/$ID`,
        RUNPOD_WEBHOOK_POST_STREAM: `${base}/job-stream/$RUNPOD_POD_ID/$ID`,
        FLASH_STATE_DIR: directory,
      });
      const queue = await RunpodJobQueue.open({ settings, workerId: 'w', log: new RecordingLog() });
      return {
        queue,
        close: async () => {
          await queue.close(1000);
          await rm(directory, { recursive: true });
        },
      };
    });
  for (const { name, run } of jobQueueContract(make)) it(name, run);
});

describe('StoreJobQueue keeps the contract of JobQueue', () => {
  const make = () => underTest(async (_, queue) => ({ queue, close: async () => {} }));
  for (const { name, run } of jobQueueContract(make)) it(name, run);
});
