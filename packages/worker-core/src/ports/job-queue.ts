/** One unit of work of a queue endpoint (docs/reference/protocol.md, Take). */
export interface Job {
  readonly id: string;
  /** JSON text of the job as it was received; handed to Python as it is. */
  readonly bytes: Uint8Array;
  /** The same, parsed: an object that has `input`. */
  readonly body: JobBody;
  /** The job's own `policy.executionTimeout`, in milliseconds. */
  readonly executionTimeoutMs?: number | undefined;
  /** `Authorization` that the job came with, where it came over HTTP; for calls of other endpoints. User code never sees it. */
  readonly authorization?: string | undefined;
  /** Aborts when the queue wants this job stopped; a stopped job gets no result. */
  readonly stop: AbortSignal;
}

/** What a queue sends for a job, with its wire names. */
export type JobBody = Readonly<Record<string, unknown>>;

/** What is reported of a job: `error` makes it FAILED on the platform. */
export interface JobOutcome {
  /** JSON text of the output. */
  readonly outputJson?: Uint8Array | undefined;
  readonly error?: string | undefined;
  /** The output went out in chunks before. */
  readonly isStream?: boolean | undefined;
  /** Ask for a fresh worker after this job (`refresh_worker`). */
  readonly refreshWorker?: boolean | undefined;
  /** The job failed for a reason of this worker: on another one it might have succeeded. */
  readonly isWorkerFault?: boolean | undefined;
}

/** Where jobs come from and results go. */
export interface JobQueue {
  /**
   * Waits for up to `wanted` jobs; resolves with none when there are none for now. The queue itself backs off when it can't be
   * reached, so that its caller may ask again at once. Rejects with the signal's reason when aborted, and with another error only
   * when no job will ever come.
   */
  take(wanted: number, signal: AbortSignal): Promise<readonly Job[]>;
  /** Shows a piece of a running job's log. */
  logged(job: Job, text: string): void;
  /** Shows how far a running job is; JSON text. Newer progress may replace older, and none is shown after the result. */
  progress(job: Job, json: Uint8Array): void;
  /** Hands over one chunk of a streaming job's output; JSON text. Resolves when the queue has it, rejects when it will not take it. */
  stream(job: Job, chunkJson: Uint8Array): Promise<void>;
  /**
   * Hands over the final result. Resolves when the queue has it, or when it is safe here and goes on being delivered while other
   * jobs run. Never rejects for a reason of the queue's.
   */
  finish(job: Job, outcome: JobOutcome): Promise<void>;
  /** Lets go of a job that gets no result. */
  abandon(job: Job): void;
}
