import { WorkerError } from './worker-error.ts';

/** The worker is shutting down and takes nothing new. */
export class WorkerClosedError extends WorkerError {
  readonly code = 'WORKER_CLOSED';

  constructor(message = 'the worker is shutting down and takes no new requests') {
    super(message);
  }
}
