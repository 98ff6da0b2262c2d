import { WorkerError } from './worker-error.ts';

/** Every runner is taken and the waiting line is full. The request was not started; it may be sent again. */
export class WorkerBusyError extends WorkerError {
  readonly code = 'WORKER_BUSY';
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs = 1000) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}
