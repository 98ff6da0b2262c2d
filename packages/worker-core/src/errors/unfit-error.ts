import { WorkerError } from './worker-error.ts';

/** This machine can't serve. The message says what is missing and what to do. */
export class UnfitError extends WorkerError {
  readonly code = 'UNFIT';
  /** Name of the check that failed. */
  readonly check: string;

  constructor(check: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.check = check;
  }
}
