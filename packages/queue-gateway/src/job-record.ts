import type { TraceContext } from '@flash/worker-core';
import type { JobStep } from './console/overview.ts';
import type { JobStatus } from './job-status.ts';

/** What a client asks for beside the input (docs/reference/protocol.md, Client API). Times in milliseconds. */
export interface JobOptions {
  readonly webhook?: string | undefined;
  /** Longest run. */
  readonly executionTimeoutMs?: number | undefined;
  /** Longest life until the job is finished. */
  readonly ttlMs?: number | undefined;
  /** What it asks for, for people. */
  readonly label?: string | undefined;
  /** Where in a trace it was submitted. */
  readonly trace?: TraceContext | undefined;
}

/** One job and all that is known of it. */
export interface JobRecord {
  readonly id: string;
  readonly endpoint: string;
  /** JSON object with the job's `input`, as the client sent it. */
  readonly bytes: Uint8Array;
  readonly options: JobOptions;
  readonly createdAt: number;
  status: JobStatus;
  startedAt: number | undefined;
  endedAt: number | undefined;
  /** JSON text. */
  outputJson: Uint8Array | undefined;
  error: string | undefined;
  /** How far a running job is, as its worker says; JSON text. */
  progressJson: Uint8Array | undefined;
  /** The worker that has it, or had it last. */
  workerId: string | undefined;
  /** How often it was handed to a worker. */
  deliveries: number;
  /** Counts of posts that came after the job's result: the same result again, another one, progress. */
  readonly late: { same: number; other: number; progress: number };
  /** Chunks that no client has fetched yet, as JSON text. */
  stream: Uint8Array[];
  /** Bytes of these chunks. */
  streamBytes: number;
  /** Number of the next chunk of this delivery: an earlier one was posted twice. */
  nextChunk: number;
  /** What the job has printed so far, bounded. */
  log: string[];
  logBytes: number;
  /** Parts of its time at its worker, bounded; known when the worker is in this process. */
  readonly steps: JobStep[];
}
