import { WorkerError } from './worker-error.ts';

/** The request is wrong; sending it again unchanged can't help. */
export class InvalidRequestError extends WorkerError {
  readonly code = 'INVALID_REQUEST';
  /** The body was no JSON object at all, rather than an object with a wrong field. */
  readonly malformed: boolean;

  constructor(message: string, options: ErrorOptions & { malformed?: boolean } = {}) {
    super(message, options);
    this.malformed = options.malformed ?? false;
  }
}
