import { TraceFlags } from '@opentelemetry/api';
import { RandomIdGenerator } from '@opentelemetry/sdk-trace';
import type { Span, SpanAttributes, SpanName, TraceContext } from '@flash/worker-core';

const ids = new RandomIdGenerator();

/** Who is told of a span when it has ended. */
export interface SpanTaker {
  take(span: RecordedSpan): void;
}

/** Where a span comes from. */
export interface SpanOrigin {
  readonly traceId: string;
  /** `undefined`: the trace begins with it. */
  readonly parent?: TraceContext | undefined;
  /** The parent is a span of this worker. */
  readonly isLocal?: boolean | undefined;
  readonly attributes?: SpanAttributes | undefined;
  /** Default: now. */
  readonly startedAt?: number | undefined;
}

/**
 * A span as long as its request is under way: what happened and when, no more. The SDK hears of it later: one request in many is sampled, so
 * that the SDK's code is never fast, and took as long as the whole rest of a small request.
 */
export class RecordedSpan implements Span {
  readonly name: SpanName;
  readonly origin: SpanOrigin;
  readonly spanId = ids.generateSpanId();
  /** In milliseconds since 1970, with fractions. */
  readonly startedAt: number;
  readonly attributes: Record<string, string | number | boolean>;
  readonly #taker: SpanTaker;
  #failure: string | undefined;
  #endedAt: number | undefined;

  constructor(taker: SpanTaker, name: SpanName, origin: SpanOrigin) {
    this.#taker = taker;
    this.name = name;
    this.origin = origin;
    this.startedAt = origin.startedAt ?? now();
    this.attributes = { ...origin.attributes };
  }

  get failure(): string | undefined {
    return this.#failure;
  }

  /** Like `startedAt`. */
  get endedAt(): number {
    return this.#endedAt ?? this.startedAt;
  }

  get context(): TraceContext {
    const { traceId, parent } = this.origin;
    const traceparent = `00-${traceId}-${this.spanId}-0${TraceFlags.SAMPLED}`;
    const tracestate = parent?.tracestate;
    return tracestate === undefined ? { traceparent } : { traceparent, tracestate };
  }

  child(name: SpanName, options: { startedAt?: number; attributes?: SpanAttributes } = {}): Span {
    const { traceId } = this.origin;
    return new RecordedSpan(this.#taker, name, { traceId, parent: this.context, isLocal: true, ...options });
  }

  set(attributes: SpanAttributes): void {
    Object.assign(this.attributes, attributes);
  }

  fail(reason: string): void {
    this.#failure = reason;
  }

  end(endedAt?: number): void {
    if (this.#endedAt !== undefined) return;
    this.#endedAt = Math.max(endedAt ?? now(), this.startedAt);
    this.#taker.take(this);
  }
}

function now(): number {
  return performance.timeOrigin + performance.now();
}
