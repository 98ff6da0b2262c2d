import { randomUUID } from 'node:crypto';
import type { JobOptions, JobRecord } from './job-record.ts';

/** A job in this process's memory: what is known of it, and what has to happen to it in time. */
export interface JobEntry {
  readonly record: JobRecord;
  /** Resolves when the job has ended. */
  readonly ended: PromiseWithResolvers<void>;
  /** Aborts when the job is to end without a result. */
  readonly stop: AbortController;
  /** End the job when its times are over. */
  readonly timers: NodeJS.Timeout[];
  /** For how long its worker has it without a sign of life, in milliseconds; for ever when undefined. */
  leaseMs: number | undefined;
  lease: NodeJS.Timeout | undefined;
}

/** A job that waits. @param kind - how its client waits. */
export function newJobEntry(
  endpoint: string,
  bytes: Uint8Array,
  options: JobOptions,
  kind: 'run' | 'runsync',
): JobEntry {
  const record: JobRecord = {
    // As on the platform: the id tells how its client waits, and so how large its result may be.
    id: kind === 'runsync' ? `sync-${randomUUID()}-e1` : `${randomUUID()}-e1`,
    endpoint,
    bytes,
    options,
    createdAt: Date.now(),
    status: 'IN_QUEUE',
    startedAt: undefined,
    endedAt: undefined,
    outputJson: undefined,
    error: undefined,
    progressJson: undefined,
    workerId: undefined,
    deliveries: 0,
    late: { same: 0, other: 0, progress: 0 },
    stream: [],
    streamBytes: 0,
    nextChunk: 0,
    log: [],
    logBytes: 0,
    steps: [],
  };
  return {
    record,
    ended: Promise.withResolvers<void>(),
    stop: new AbortController(),
    timers: [],
    leaseMs: undefined,
    lease: undefined,
  };
}
