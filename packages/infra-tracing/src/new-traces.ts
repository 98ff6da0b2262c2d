import { ROOT_CONTEXT, SpanKind, TraceFlags } from '@opentelemetry/api';
import { type IdGenerator, type Sampler, SamplingDecision } from '@opentelemetry/sdk-trace';
import type { TraceContext } from '@flash/worker-core';

const largestStock = 32;
const refillBelow = 16;

/** A trace that begins here. */
export interface NewTrace {
  readonly traceId: string;
  /** The place of its first span in it, on the wire; absent when the trace is sampled: that span has an id of its own. */
  readonly unsampled: TraceContext | undefined;
}

/**
 * Draws traces and decides whether they are sampled, ahead of the requests that begin them: most are not sampled, and to draw one takes a
 * twentieth of the time of a small request, whose code has everything else in the processor's caches. The stock is filled up while a process of Python works.
 */
export class NewTraces {
  readonly #ids: IdGenerator;
  readonly #sampler: Sampler;
  readonly #stock: NewTrace[] = [];
  #isToBeFilled = false;

  constructor(ids: IdGenerator, sampler: Sampler) {
    this.#ids = ids;
    this.#sampler = sampler;
    this.#fill();
  }

  take(): NewTrace {
    if (this.#stock.length < refillBelow && !this.#isToBeFilled) {
      this.#isToBeFilled = true;
      setImmediate(() => this.#fill());
    }
    return this.#stock.pop() ?? this.#draw();
  }

  #fill(): void {
    while (this.#stock.length < largestStock) this.#stock.push(this.#draw());
    this.#isToBeFilled = false;
  }

  #draw(): NewTrace {
    const traceId = this.#ids.generateTraceId();
    const { decision } = this.#sampler.shouldSample(ROOT_CONTEXT, traceId, '', SpanKind.INTERNAL, {}, []);
    if (decision !== SamplingDecision.NOT_RECORD) return { traceId, unsampled: undefined };
    const traceparent = `00-${traceId}-${this.#ids.generateSpanId()}-0${TraceFlags.NONE}`;
    return { traceId, unsampled: { traceparent } };
  }
}
