/** `@flash/infra-runpod`: the platform's queue protocol. */
export { openHeartbeat, type OpenHeartbeatOptions } from './open-heartbeat.ts';
export { RunpodJobQueue, type RunpodJobQueueOptions } from './runpod-job-queue.ts';
export { type RunpodQueueSettings, runpodQueueSettingsSchema } from './settings.ts';
