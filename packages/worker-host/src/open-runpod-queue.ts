import type { RunpodJobQueue } from '@flash/infra-runpod';
import type { Worker } from './create-worker.ts';
import { readSettings } from './settings.ts';

/**
 * Opens the platform's queue for a worker (docs/reference/protocol.md, Queue protocol). Its HTTP client is loaded only here: a worker that serves no
 * queue does without.
 *
 * @throws SettingsError naming a setting that is wrong.
 */
export async function openRunpodQueue(worker: Worker, env: NodeJS.ProcessEnv): Promise<RunpodJobQueue> {
  const { RunpodJobQueue, runpodQueueSettingsSchema } = await import('@flash/infra-runpod');
  return RunpodJobQueue.open({
    settings: readSettings(runpodQueueSettingsSchema, env),
    workerId: worker.identity.workerId,
    log: worker.log,
    metrics: worker.metrics,
  });
}

/**
 * Tells the platform that a worker lives that serves no queue; `undefined` when the platform gave no address for it.
 *
 * @param jobIds - ids of what it works on.
 * @throws SettingsError naming a setting that is wrong.
 */
export async function openRunpodHeartbeat(
  worker: Worker,
  env: NodeJS.ProcessEnv,
  jobIds: () => readonly string[],
): Promise<{ close(): Promise<void> } | undefined> {
  if (!env.RUNPOD_WEBHOOK_PING) return undefined;
  const { openHeartbeat, runpodQueueSettingsSchema } = await import('@flash/infra-runpod');
  return openHeartbeat({
    settings: readSettings(runpodQueueSettingsSchema, env),
    workerId: worker.identity.workerId,
    log: worker.log,
    jobIds,
  });
}
