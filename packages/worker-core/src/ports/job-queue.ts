/** One unit of work of a queue endpoint (contract, section 5). */
export interface Job {
  readonly id: string;
  /** JSON object that has the job's `input`, as it was received. */
  readonly bytes: Uint8Array;
  /** The job's own `policy.executionTimeout`, in milliseconds. */
  readonly executionTimeoutMs?: number | undefined;
  /** Aborts when the queue wants this job stopped; a stopped job gets no result. */
  readonly stop: AbortSignal;
}

/** What is reported of a job: `error` makes it FAILED on the platform. */
export interface JobOutcome {
  /** JSON text of the output. */
  readonly outputJson?: Uint8Array | undefined;
  readonly error?: string | undefined;
  /** Ask for a fresh worker after this job (`refresh_worker`). */
  readonly refreshWorker?: boolean | undefined;
}

/** Where jobs come from and results go. */
export interface JobQueue {
  /** Waits for the next job; `undefined` when there is none for now. Rejects with the signal's reason when aborted. */
  take(signal: AbortSignal): Promise<Job | undefined>;
  /** Shows a piece of a running job's output: what the user's code printed. */
  progress(job: Job, text: string): void;
  /** Hands over the final result of a job. */
  finish(job: Job, outcome: JobOutcome): Promise<void>;
}
