import { WorkerError } from '@flash/worker-core';

/** Too many jobs wait. The job was not taken; it may be sent again later. */
export class QueueFullError extends WorkerError {
  readonly code = 'QUEUE_FULL';
}
