import type { BeginSpanOptions, Span, SpanAttributes, SpanName, Tracer } from '@flash/worker-core';
import type { JobStep } from './overview.ts';

/** Tracer that notes the steps of jobs for the console, and hands everything on to another tracer. */
export class TimelineTracer implements Tracer {
  readonly #inner: Tracer;
  readonly #note: (jobId: string, step: JobStep) => void;

  /** @param note - told of a step when it begins; the step's end is put in later. */
  constructor(inner: Tracer, note: (jobId: string, step: JobStep) => void) {
    this.#inner = inner;
    this.#note = note;
  }

  start(): Promise<void> {
    return this.#inner.start();
  }

  get loading(): Promise<void> | undefined {
    return this.#inner.loading;
  }

  begin(name: Parameters<Tracer['begin']>[0], options: BeginSpanOptions = {}): Span {
    const span = this.#inner.begin(name, options);
    const jobId = options.attributes?.['flash.job_id'];
    return typeof jobId === 'string' ? new NotedSpan(span, (step) => this.#note(jobId, step)) : span;
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

class NotedSpan implements Span {
  readonly #inner: Span;
  readonly #note: (step: JobStep) => void;
  readonly #step: JobStep | undefined;

  constructor(inner: Span, note: (step: JobStep) => void, step?: JobStep) {
    this.#inner = inner;
    this.#note = note;
    this.#step = step;
  }

  get context(): Span['context'] {
    return this.#inner.context;
  }

  child(
    name: SpanName,
    options?: { readonly startedAt?: number; readonly attributes?: SpanAttributes },
  ): Span {
    const step: JobStep = { name, startedAt: options?.startedAt ?? Date.now() };
    this.#note(step);
    return new NotedSpan(this.#inner.child(name, options), this.#note, step);
  }

  set(attributes: SpanAttributes): void {
    this.#inner.set(attributes);
  }

  fail(reason: string): void {
    this.#inner.fail(reason);
  }

  end(endedAt?: number): void {
    if (this.#step !== undefined) this.#step.endedAt = endedAt ?? Date.now();
    this.#inner.end(endedAt);
  }
}
