/** `@flash/infra-runpod`: the platform's queue protocol. */
export { type EndpointRouterSettings, endpointRouterSettingsSchema } from './endpoint-router-settings.ts';
export { endpointRouterModule } from './module.ts';
export { openHeartbeat, type OpenHeartbeatOptions } from './open-heartbeat.ts';
export { RunpodEndpointRouter } from './runpod-endpoint-router.ts';
export { RunpodJobQueue, type RunpodJobQueueOptions } from './runpod-job-queue.ts';
export { type RunpodQueueSettings, runpodQueueSettingsSchema } from './settings.ts';
