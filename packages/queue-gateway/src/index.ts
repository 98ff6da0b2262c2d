/** `@flash/queue-gateway`: the platform's queue API on one machine. */
export { type Gateway, type GatewayOptions, startGateway } from './gateway.ts';
export { InMemoryJobStore, type InMemoryJobStoreOptions } from './in-memory-job-store.ts';
export type { JobOptions, JobRecord, JobStatus } from './job-record.ts';
export type { JobCounts, JobStore, Lease } from './job-store.ts';
export { type GatewaySettings, gatewaySettingsSchema } from './settings.ts';
export { StoreJobQueue } from './store-job-queue.ts';
