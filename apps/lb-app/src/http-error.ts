import { BodyError } from '@flash/http-body';
import {
  InvalidRequestError,
  WorkerBusyError,
  WorkerClosedError,
  WorkerError,
  WorkerStartError,
} from '@flash/worker-core';

/** A failure of the request's transport, with the status that tells the client. */
export class HttpError extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** What a client is told of a failure; `undefined` for one that has no error class of ours. */
export function toHttpError(error: unknown): HttpError | undefined {
  if (error instanceof HttpError) return error;
  if (error instanceof BodyError) return new HttpError(error.status, error.code, error.message);
  if (!(error instanceof WorkerError)) return undefined;
  return new HttpError(statusOf(error), error.code, error.message, headersOf(error));
}

function statusOf(error: WorkerError): number {
  if (error instanceof InvalidRequestError) return error.malformed ? 400 : 422;
  if (
    error instanceof WorkerBusyError ||
    error instanceof WorkerClosedError ||
    error instanceof WorkerStartError
  )
    return 503;
  return 500;
}

function headersOf(error: WorkerError): Readonly<Record<string, string>> {
  return error instanceof WorkerBusyError
    ? { 'retry-after': String(Math.ceil(error.retryAfterMs / 1000)) }
    : {};
}
