import type { JobOutcome } from '@flash/worker-core';
import type { JobOptions, JobRecord } from './job-record.ts';

/** How many jobs are in which state. */
export interface JobCounts {
  readonly completed: number;
  readonly failed: number;
  readonly inProgress: number;
  readonly inQueue: number;
  readonly retried: number;
}

/** A job that a worker has taken; `stop` aborts when it is to end without a result. */
export interface Lease {
  readonly record: JobRecord;
  readonly stop: AbortSignal;
}

/** Keeps jobs from submission to the end of their history. Nothing in it assumes that worker and client share a process. */
export interface JobStore {
  /** @throws QueueFullError when too many jobs wait already. */
  submit(endpoint: string, bytes: Uint8Array, options: JobOptions): Promise<JobRecord>;
  find(endpoint: string, id: string): Promise<JobRecord | undefined>;
  /** Resolves when the job has ended or `timeoutMs` is over. */
  waitForEnd(record: JobRecord, timeoutMs: number, signal?: AbortSignal): Promise<void>;
  /** Takes the oldest job that waits; waits for one until `signal` aborts, then rejects with its reason. */
  take(signal: AbortSignal): Promise<Lease>;
  appendLog(id: string, text: string): void;
  /** Ignored for a job that has ended meanwhile: its client was told already. */
  finish(id: string, outcome: JobOutcome): Promise<void>;
  /** Ends a job that waits or runs; returns its state. */
  cancel(record: JobRecord): Promise<void>;
  /** Drops every job that waits; returns how many. */
  purge(endpoint: string): Promise<number>;
  count(endpoint: string): Promise<JobCounts>;
  close(): Promise<void>;
}
