/** `@flash/worker-host`: puts a worker together; shared by qb-app, lb-app and hosts of your own. */
export { answerMetrics } from '@flash/infra-metrics';
export { type CreateWorkerOptions, createWorker, type Worker } from './create-worker.ts';
export { abandonHeadStart, type HeadStart } from './head-start.ts';
export { emergencyLog, logRuntimeErrors, writeFatal } from './fatal-log.ts';
export { openRunpodHeartbeat, openRunpodQueue } from './open-runpod-queue.ts';
export { readSettings, type WorkerSettings, workerSettingsSchema } from './settings.ts';
