/** Where in a trace something happens, as W3C Trace Context has it on the wire. To be read by name: ids may be drawn only when they are asked for. */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string | undefined;
  /** The trace begins here and is not recorded: an adapter that hands it on may leave the ids to the receiver, which hardly ever wants them. */
  readonly isUnrecordedRoot?: boolean | undefined;
}

/** What the spans of a worker are called. */
export type SpanName =
  /** An HTTP request, from its head to its answer. */
  | 'POST /execute'
  /** A job, from its begin to its result's being safe. */
  | 'job'
  /** The wait for the queue to give it. */
  | 'take'
  /** The volume's cache is brought in. */
  | 'hydrate'
  /** Packages are installed. */
  | 'install'
  /** The call to another endpoint. */
  | 'route'
  /** User code, with the wait for a process. */
  | 'run'
  /** The answer becomes text. */
  | 'serialise'
  /** The result is handed over to the queue. */
  | 'post';

/** What is said about a span: names, never values of arguments, output or errors of user code. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** One step of a trace. Never throws. */
export interface Span {
  /** What user code and other endpoints get as their parent; `undefined` when there is no trace. */
  readonly context: TraceContext | undefined;
  /** Begins a step of this step; `startedAt` in milliseconds on the clock of `Date.now()`, default: now. */
  child(
    name: SpanName,
    options?: { readonly startedAt?: number; readonly attributes?: SpanAttributes },
  ): Span;
  set(attributes: SpanAttributes): void;
  /** The step has failed; `reason` is a word of the worker's, not a text from outside. */
  fail(reason: string): void;
  /** @param endedAt - milliseconds on the clock of `Date.now()`; default: now. */
  end(endedAt?: number): void;
}

export interface BeginSpanOptions {
  /** Who the trace was begun by; without it a new one begins here. */
  readonly parent?: TraceContext | undefined;
  readonly attributes?: SpanAttributes | undefined;
}

/** Follows requests through the worker. Costs next to nothing when nothing is traced. */
export interface Tracer {
  /** Brings up what exports. Never rejects: a worker serves without traces, too. */
  start(): Promise<void>;
  /** What a front door waits for before it begins a span, so that the first request is traced as well; `undefined`: nothing. */
  readonly loading: Promise<void> | undefined;
  /** Begins what is one request to this worker. */
  begin(name: Extract<SpanName, 'POST /execute' | 'job'>, options?: BeginSpanOptions): Span;
  /** Exports what is left, for a bounded time. */
  close(): Promise<void>;
}

/** A step that is not recorded. A trace that the client has begun goes on behind it. */
export class PassingSpan implements Span {
  readonly context: TraceContext | undefined;

  constructor(context: TraceContext | undefined) {
    this.context = context;
  }

  child(): Span {
    return this;
  }

  set(): void {}

  fail(): void {}

  end(): void {}
}

/** Where there is no trace. */
export const noSpan: Span = new PassingSpan(undefined);

/** Tracer of a worker that records nothing: the traces of others pass through. */
export const noTracer: Tracer = {
  start: () => Promise.resolve(),
  loading: undefined,
  begin: (_name, options) => (options?.parent === undefined ? noSpan : new PassingSpan(options.parent)),
  close: () => Promise.resolve(),
};
