import { TraceFlags } from '@opentelemetry/api';
import type { IdGenerator } from '@opentelemetry/sdk-trace';
import type { TraceContext } from '@flash/worker-core';

/** The place of a request whose trace begins with it and is not sampled. */
export class UnrecordedRoot implements TraceContext {
  readonly isUnrecordedRoot = true;
  readonly #ids: IdGenerator;
  #traceparent: string | undefined;

  constructor(ids: IdGenerator) {
    this.#ids = ids;
  }

  get traceparent(): string {
    this.#traceparent ??= `00-${this.#ids.generateTraceId()}-${this.#ids.generateSpanId()}-0${TraceFlags.NONE}`;
    return this.#traceparent;
  }
}
