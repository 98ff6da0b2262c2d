import {
  type Context,
  ROOT_CONTEXT,
  type Span as OtelSpan,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
} from '@opentelemetry/api';
import {
  type ExportResult,
  ExportResultCode,
  parseKeyPairsIntoRecord,
  setGlobalErrorHandler,
  W3CTraceContextPropagator,
} from '@opentelemetry/core';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  type IdGenerator,
  ParentBasedSampler,
  RandomIdGenerator,
  type ReadableSpan,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { BeginSpanOptions, Span, SpanAttributes, SpanName, TraceContext } from '@flash/worker-core';
import { NewTraces } from './new-traces.ts';
import type { SenderPython } from './sender-process.ts';
import type { TracingSettings } from './settings.ts';
import { TraceCollector } from './trace-collector.ts';
import { UnrecordedRoot } from './unrecorded-root.ts';

// Loaded only where traces are exported, as a file of its own in bundles: of the worker's own it may import types, and what else is for it alone.

/** Where the flags of a `traceparent` end. */
const flagsEnd = 54;
const propagator = new W3CTraceContextPropagator();
const kinds: Partial<Record<SpanName, SpanKind>> = {
  'POST /execute': SpanKind.SERVER,
  job: SpanKind.CONSUMER,
  route: SpanKind.CLIENT,
  post: SpanKind.PRODUCER,
};

const carrierSetter = {
  set: (carrier: Record<string, string>, key: string, value: string) => {
    carrier[key] = value;
  },
};
const carrierGetter = {
  get: (carrier: TraceContext, key: string) => carrier[key as 'traceparent' | 'tracestate'],
  keys: () => ['traceparent', 'tracestate'],
};

/** OpenTelemetry's SDK, with an exporter of its own: what a host has registered globally stays as it is. */
export class OpenTelemetry {
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;
  readonly #random = new RandomIdGenerator();
  readonly #ids = new TraceIds();
  readonly #newTraces: NewTraces;
  readonly #followsParents: boolean;
  readonly #collector: TraceCollector;

  /** @param attributes - who the worker is. */
  constructor(
    settings: TracingSettings,
    attributes: SpanAttributes,
    python: SenderPython,
    onError: (error: unknown) => void,
  ) {
    setGlobalErrorHandler(onError);
    const isJson = settings.OTEL_EXPORTER_OTLP_PROTOCOL === 'http/json';
    const headers = {
      ...parseKeyPairsIntoRecord(settings.OTEL_EXPORTER_OTLP_HEADERS),
      'content-type': isJson ? 'application/json' : 'application/x-protobuf',
    };
    this.#collector = new TraceCollector(settings, headers, python);
    const exporter = new Exporter(isJson ? JsonTraceSerializer : ProtobufTraceSerializer, this.#collector);
    const { root, sampler, followsParents } = samplersOf(settings);
    this.#newTraces = new NewTraces(this.#random, root);
    this.#followsParents = followsParents;
    const maxQueueSize = settings.OTEL_BSP_MAX_QUEUE_SIZE;
    this.#provider = new TracerProvider({
      sampler,
      idGenerator: this.#ids,
      resource: resourceFromAttributes({ 'service.name': settings.OTEL_SERVICE_NAME, ...attributes }),
      spanProcessors: [
        new BatchSpanProcessor({
          exporter,
          maxQueueSize,
          maxExportBatchSize: Math.min(512, maxQueueSize),
          scheduledDelayMillis: settings.OTEL_BSP_SCHEDULE_DELAY,
        }),
      ],
    });
    this.#tracer = this.#provider.getTracer('@flash/worker');
  }

  /**
   * Begins a request's span; where it is not sampled, only its place in the trace is there. Most are not, as a rule: they are told from the
   * others before the SDK is asked, which takes ten times as long.
   */
  begin(name: SpanName, { parent, attributes }: BeginSpanOptions): Span | TraceContext {
    if (parent === undefined) {
      const traceId = this.#newTraces.begin();
      if (traceId === undefined) return new UnrecordedRoot(this.#random);
      this.#ids.next = traceId;
    } else if (this.#followsParents && !isSampled(parent)) return parent;
    const around =
      parent === undefined ? ROOT_CONTEXT : propagator.extract(ROOT_CONTEXT, parent, carrierGetter);
    const options = { kind: kinds[name] ?? SpanKind.INTERNAL, ...(attributes && { attributes }) };
    const span = this.#tracer.startSpan(name, options, around);
    if (!span.isRecording()) return unrecorded(span.spanContext());
    this.#collector.prepare();
    return new RecordedSpan(this.#tracer, span, trace.setSpan(around, span));
  }

  /** Sends what is left, as long as it takes. */
  async flush(): Promise<void> {
    await this.#provider.shutdown();
  }

  /** Gives up what was not sent. */
  close(): void {
    this.#collector.abandon();
  }
}

/** Exporter that has its bytes sent by another process: OpenTelemetry's own would do so in this one (see SenderProcess). */
class Exporter implements SpanExporter {
  readonly #serializer: typeof ProtobufTraceSerializer;
  readonly #collector: TraceCollector;

  constructor(serializer: typeof ProtobufTraceSerializer, collector: TraceCollector) {
    this.#serializer = serializer;
    this.#collector = collector;
  }

  export(spans: ReadableSpan[], onResult: (result: ExportResult) => void): void {
    const bytes = this.#serializer.serializeRequest(spans) ?? new Uint8Array();
    this.#collector.send(bytes).then(
      () => onResult({ code: ExportResultCode.SUCCESS }),
      (error: Error) => onResult({ code: ExportResultCode.FAILED, error }),
    );
  }

  async shutdown(): Promise<void> {}
}

class RecordedSpan implements Span {
  readonly #tracer: Tracer;
  readonly #span: OtelSpan;
  readonly #context: Context;

  constructor(tracer: Tracer, span: OtelSpan, context: Context) {
    this.#tracer = tracer;
    this.#span = span;
    this.#context = context;
  }

  get context(): TraceContext {
    return wireForm(this.#context);
  }

  child(name: SpanName, options: { startedAt?: number; attributes?: SpanAttributes } = {}): Span {
    const { startedAt: startTime, attributes } = options;
    const kind = kinds[name] ?? SpanKind.INTERNAL;
    const given = { kind, ...(startTime && { startTime }), ...(attributes && { attributes }) };
    const span = this.#tracer.startSpan(name, given, this.#context);
    return new RecordedSpan(this.#tracer, span, trace.setSpan(this.#context, span));
  }

  set(attributes: SpanAttributes): void {
    this.#span.setAttributes(attributes);
  }

  fail(reason: string): void {
    this.#span.setStatus({ code: SpanStatusCode.ERROR, message: reason });
  }

  end(endedAt?: number): void {
    this.#span.end(endedAt);
  }
}

/** What the propagator would say of it, for the many that are not sampled. */
function unrecorded({ traceId, spanId, traceState }: SpanContext): TraceContext {
  const traceparent = `00-${traceId}-${spanId}-00`;
  return traceState === undefined ? { traceparent } : { traceparent, tracestate: traceState.serialize() };
}

function wireForm(context: Context): TraceContext {
  const carrier: Record<string, string> = {};
  propagator.inject(context, carrier, carrierSetter);
  return carrier as unknown as TraceContext;
}

/** Ids at random; that of a trace which was decided about is used by the span that begins it. */
class TraceIds implements IdGenerator {
  readonly #random = new RandomIdGenerator();
  next: string | undefined;

  generateTraceId(): string {
    const id = this.next ?? this.#random.generateTraceId();
    this.next = undefined;
    return id;
  }

  generateSpanId(): string {
    return this.#random.generateSpanId();
  }
}

/** The last bit of the flags; the form of what a caller sends was looked at before. */
function isSampled({ traceparent }: TraceContext): boolean {
  return (Number.parseInt(traceparent.charAt(flagsEnd), 16) & TraceFlags.SAMPLED) !== 0;
}

interface Samplers {
  readonly root: Sampler;
  readonly sampler: Sampler;
  readonly followsParents: boolean;
}

function samplersOf(settings: TracingSettings): Samplers {
  const { OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: ratio } = settings;
  const root = name.endsWith('traceidratio') ? new TraceIdRatioBasedSampler(ratio) : new AlwaysOnSampler();
  const followsParents = name.startsWith('parentbased');
  return { root, sampler: followsParents ? new ParentBasedSampler({ root }) : root, followsParents };
}
