import type { JobStatus } from '../job-status.ts';

/** A part of a job's time at its worker, on the clock of `Date.now()`. */
export interface JobStep {
  readonly name: string;
  readonly startedAt: number;
  /** `undefined` while it is going on. */
  endedAt?: number | undefined;
}

/** A job as the console's table and picture show it. Times on the clock of `Date.now()`. */
export interface JobSummary {
  readonly id: string;
  readonly endpoint: string;
  readonly label: string;
  readonly status: JobStatus;
  readonly createdAt: number;
  readonly startedAt?: number | undefined;
  readonly endedAt?: number | undefined;
  readonly workerId?: string | undefined;
  /** How often it was handed to a worker. */
  readonly deliveries: number;
  /** Known of jobs whose worker is in the gateway's process. */
  readonly steps: readonly JobStep[];
}

/** A worker that was heard of lately. */
export interface WorkerSummary {
  readonly id: string;
  /** `undefined`: every one. */
  readonly endpoint?: string | undefined;
  readonly jobsInProgress: number;
  /** Milliseconds since it was heard of; 0 in the gateway's own process. */
  readonly silentMs: number;
  /** Why it reported itself unhealthy. */
  readonly unhealthy?: string | undefined;
}

/** A Python process of the worker in the gateway's process. */
interface RunnerSummary {
  readonly id: number;
  readonly pid?: number | undefined;
  readonly state: 'starting' | 'idle' | 'busy';
  readonly environment?: string | undefined;
  readonly requestIds: readonly string[];
  readonly instanceIds: readonly string[];
  /** Proportional share of memory (PSS). */
  readonly memoryBytes?: number | undefined;
}

/** What `GET /console/overview` answers. */
export interface Overview {
  /** The gateway's clock. */
  readonly now: number;
  readonly version: string;
  /** Newest first. */
  readonly jobs: readonly JobSummary[];
  /** Jobs that are remembered and not in `jobs`. */
  readonly olderJobs: number;
  readonly workers: readonly WorkerSummary[];
  /** `undefined` where the workers are other processes: the platform's protocol has no call that tells of their runners. */
  readonly runners?: readonly RunnerSummary[] | undefined;
}

/** Jobs that ended in one stretch of time. */
interface StatisticsPoint {
  /** Its begin. */
  readonly at: number;
  readonly completed: number;
  /** Failed, timed out or cancelled. */
  readonly failed: number;
  /** From submission to end, in milliseconds; `undefined` when none ended. */
  readonly medianMs?: number | undefined;
  readonly p95Ms?: number | undefined;
}

/** What `GET /console/statistics` answers: the last hour, oldest first, without gaps. */
export interface Statistics {
  readonly stretchMs: number;
  readonly points: readonly StatisticsPoint[];
}
