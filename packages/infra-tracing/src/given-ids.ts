import type { IdGenerator } from '@opentelemetry/sdk-trace';

/** Ids of a span that was recorded before the SDK is told of it. */
export class GivenIds implements IdGenerator {
  #traceId = '';
  #spanId = '';

  /** Sets the ids of the span that begins next. */
  give(traceId: string, spanId: string): void {
    this.#traceId = traceId;
    this.#spanId = spanId;
  }

  generateTraceId(): string {
    return this.#traceId;
  }

  generateSpanId(): string {
    return this.#spanId;
  }
}
