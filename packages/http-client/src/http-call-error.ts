/** A call failed. The message holds no secret and no query string. */
export class HttpCallError extends Error {
  /** HTTP status; `undefined` when there was no answer. */
  readonly status: number | undefined;
  /** The beginning of the answer's text, for people. */
  readonly answer: string;
  /** The request can't have been received: no connection came about. */
  readonly neverSent: boolean;

  constructor(
    message: string,
    details: {
      readonly status?: number | undefined;
      readonly answer?: string | undefined;
      readonly neverSent?: boolean;
    } = {},
  ) {
    super(message);
    this.name = 'HttpCallError';
    this.status = details.status;
    this.answer = details.answer ?? '';
    this.neverSent = details.neverSent ?? false;
  }
}
