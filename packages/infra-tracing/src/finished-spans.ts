import { type Context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import type { SpanName, TraceContext } from '@flash/worker-core';
import type { GivenIds } from './given-ids.ts';
import type { RecordedSpan, SpanOrigin, SpanTaker } from './recorded-span.ts';
import type { TracingSettings } from './settings.ts';

/** Most spans that are handed over in one go, which takes a millisecond. */
const most = 100;
const longestMs = 1000;
const propagator = new W3CTraceContextPropagator();
const kinds: Partial<Record<SpanName, SpanKind>> = {
  'POST /execute': SpanKind.SERVER,
  job: SpanKind.CONSUMER,
  route: SpanKind.CLIENT,
  post: SpanKind.PRODUCER,
};
const carrierGetter = {
  get: (carrier: TraceContext, key: string) => carrier[key as 'traceparent' | 'tracestate'],
  keys: () => ['traceparent', 'tracestate'],
};

/** Spans that have ended, on their way to the SDK: many at once, so that few requests wait for its code. */
export class FinishedSpans implements SpanTaker {
  readonly #tracer: Tracer;
  readonly #ids: GivenIds;
  readonly #delayMs: number;
  #spans: RecordedSpan[] = [];

  constructor(tracer: Tracer, ids: GivenIds, { OTEL_BSP_SCHEDULE_DELAY }: TracingSettings) {
    this.#tracer = tracer;
    this.#ids = ids;
    this.#delayMs = Math.min(longestMs, OTEL_BSP_SCHEDULE_DELAY / 5);
  }

  take(span: RecordedSpan): void {
    this.#spans.push(span);
    if (this.#spans.length === 1) setTimeout(() => this.handOver(), this.#delayMs).unref();
    if (this.#spans.length >= most) this.handOver();
  }

  /** Tells the SDK of all there are. */
  handOver(): void {
    const spans = this.#spans;
    this.#spans = [];
    for (const span of spans) this.#tell(span);
  }

  #tell({ name, origin, spanId, startedAt: startTime, endedAt, attributes, failure }: RecordedSpan): void {
    this.#ids.give(origin.traceId, spanId);
    const kind = kinds[name] ?? SpanKind.INTERNAL;
    const span = this.#tracer.startSpan(name, { kind, startTime, attributes }, contextAround(origin));
    if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
    span.end(endedAt);
  }
}

function contextAround({ parent, isLocal }: SpanOrigin): Context {
  if (parent === undefined) return ROOT_CONTEXT;
  const context = propagator.extract(ROOT_CONTEXT, parent, carrierGetter);
  const place = trace.getSpanContext(context);
  return isLocal && place !== undefined
    ? trace.setSpanContext(context, { ...place, isRemote: false })
    : context;
}
