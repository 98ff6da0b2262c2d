/** A request's body is refused. The message is for the client. */
export class BodyError extends Error {
  /** HTTP status that tells the client. */
  readonly status: 408 | 413;
  readonly code: 'BODY_TIMEOUT' | 'BODY_TOO_LARGE';

  private constructor(status: BodyError['status'], code: BodyError['code'], message: string) {
    super(message);
    this.name = 'BodyError';
    this.status = status;
    this.code = code;
  }

  static tooLarge(maxBytes: number, setting: string): BodyError {
    return new BodyError(
      413,
      'BODY_TOO_LARGE',
      `the body is larger than ${maxBytes} bytes: send less, or raise ${setting}`,
    );
  }

  static late(timeoutMs: number, received: number): BodyError {
    return new BodyError(
      408,
      'BODY_TIMEOUT',
      `the body was not whole after ${timeoutMs} ms, ${received} bytes had come: send it sooner, or raise FLASH_REQUEST_TIMEOUT_MS`,
    );
  }
}
