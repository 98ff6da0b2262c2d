/** `@flash/queue-gateway`: the platform's queue API on one machine. */
export { type FaultKind, faultKinds, type FaultOptions, Faults } from './faults.ts';
export { TimelineTracer } from './console/timeline-tracer.ts';
export { type Gateway, type GatewayOptions, startGateway } from './gateway.ts';
export { InMemoryJobStore, type InMemoryJobStoreOptions } from './in-memory-job-store.ts';
export type { JobOptions, JobRecord } from './job-record.ts';
export type { JobStatus } from './job-status.ts';
export type { JobCounts, JobStore, Lease, TakeRequest } from './job-store.ts';
export { type GatewaySettings, gatewaySettingsSchema } from './settings.ts';
export { StoreJobQueue } from './store-job-queue.ts';
export type { WorkerCounts } from './worker-registry.ts';
