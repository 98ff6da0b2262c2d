import type { JobOutcome } from '@flash/worker-core';
import type { JobStep } from './console/overview.ts';
import type { JobOptions, JobRecord } from './job-record.ts';

/** How many jobs are in which state. */
export interface JobCounts {
  readonly completed: number;
  readonly failed: number;
  readonly inProgress: number;
  readonly inQueue: number;
  /** Deliveries beyond each job's first. */
  readonly retried: number;
}

/** Who takes jobs, and which. */
export interface TakeRequest {
  readonly workerId: string;
  /** Jobs of this endpoint; of any when left out. */
  readonly endpoint?: string | undefined;
  /** Most jobs to take at once. */
  readonly wanted: number;
  /** The job goes to another worker when nothing was heard of this worker for so long, in milliseconds; never when left out. */
  readonly leaseMs?: number | undefined;
  readonly signal: AbortSignal;
}

/** A job that a worker has taken; `stop` aborts when it is to end without a result. */
export interface Lease {
  readonly record: JobRecord;
  readonly stop: AbortSignal;
}

/** The newest of all endpoints' jobs. */
export interface RecentJobs {
  /** Newest first. */
  readonly records: readonly JobRecord[];
  /** How many are remembered. */
  readonly total: number;
}

/** Keeps jobs from submission to the end of their history. Nothing in it assumes that worker and client share a process. */
export interface JobStore {
  /** @param kind - how the client waits; the job's id tells it, as on the platform. @throws QueueFullError when too many jobs wait. */
  submit(
    endpoint: string,
    bytes: Uint8Array,
    options: JobOptions,
    kind?: 'run' | 'runsync',
  ): Promise<JobRecord>;
  find(endpoint: string, id: string): Promise<JobRecord | undefined>;
  recent(most: number): Promise<RecentJobs>;
  /** Resolves when the job has ended or `timeoutMs` is over. */
  waitForEnd(record: JobRecord, timeoutMs: number, signal?: AbortSignal): Promise<void>;
  /** Takes the oldest jobs that wait, at least one; waits for one until the signal aborts, then rejects with its reason. */
  take(request: TakeRequest): Promise<Lease[]>;
  /** Hands a job that is at work out once more, as a queue that delivers at least once may do. */
  deliverAgain(id: string): void;
  /** A worker lives and works on these jobs: their leases begin anew. */
  renew(workerId: string, jobIds: readonly string[]): void;
  appendLog(id: string, text: string): void;
  /** A step of a job has begun at its worker; its end is put into it later. */
  noteStep(id: string, step: JobStep): void;
  /** Shows how far a job is; JSON text. */
  progress(id: string, json: Uint8Array): void;
  /**
   * Adds a chunk of a streaming job's output; JSON text. One whose number was seen is ignored.
   *
   * @returns false when the client has to fetch earlier ones first.
   */
  appendChunk(id: string, json: Uint8Array, number: number | undefined): boolean;
  /** Ignored for a job that has ended meanwhile: its client was told already. */
  finish(id: string, outcome: JobOutcome): Promise<void>;
  /** Ids of jobs this worker is to stop; waits for one until the signal aborts, then resolves with none. */
  stops(workerId: string, signal: AbortSignal): Promise<readonly string[]>;
  /** Ends a job that waits or runs; returns its state. */
  cancel(record: JobRecord): Promise<void>;
  /** Drops every job that waits; returns how many. */
  purge(endpoint: string): Promise<number>;
  count(endpoint: string): Promise<JobCounts>;
  close(): Promise<void>;
}
