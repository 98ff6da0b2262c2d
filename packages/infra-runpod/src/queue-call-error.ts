/** A call of the queue protocol failed. The message holds no key and no query string. */
export class QueueCallError extends Error {
  /** HTTP status; `undefined` when there was no answer. */
  readonly status: number | undefined;
  /** The beginning of the answer's text, for people. */
  readonly answer: string;

  constructor(message: string, details: { status?: number; answer?: string; cause?: unknown } = {}) {
    super(message, { cause: details.cause });
    this.name = 'QueueCallError';
    this.status = details.status;
    this.answer = details.answer ?? '';
  }

  /**
   * Whether the same call can't succeed later either. A key that is refused may be in order again soon, and a result is worth
   * waiting for.
   */
  get isFinal(): boolean {
    const { status } = this;
    return status !== undefined && status >= 400 && status < 500 && !passing.has(status);
  }
}

const passing = new Set([401, 403, 408, 425, 429]);
