import { WorkerError } from './worker-error.ts';

/** The worker can't serve: no usable Python, a missing module, a wrong version. Says what to do about it. */
export class WorkerStartError extends WorkerError {
  readonly code = 'WORKER_START';
}
