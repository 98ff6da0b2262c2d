import { WorkerError } from './worker-error.ts';

/** The deployed app can't be served. Says what failed, why, and what to do. */
export class AppError extends WorkerError {
  readonly code = 'APP';
}
