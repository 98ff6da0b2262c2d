import { TraceFlags } from '@opentelemetry/api';
import {
  type ExportResult,
  ExportResultCode,
  parseKeyPairsIntoRecord,
  setGlobalErrorHandler,
} from '@opentelemetry/core';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  RandomIdGenerator,
  type ReadableSpan,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { BeginSpanOptions, Span, SpanAttributes, SpanName, TraceContext } from '@flash/worker-core';
import { FinishedSpans } from './finished-spans.ts';
import { GivenIds } from './given-ids.ts';
import { NewTraces } from './new-traces.ts';
import { RecordedSpan, type SpanOrigin } from './recorded-span.ts';
import type { SenderPython } from './sender-process.ts';
import type { TracingSettings } from './settings.ts';
import { TraceCollector } from './trace-collector.ts';
import { UnrecordedRoot } from './unrecorded-root.ts';

// Loaded only where traces are exported, as a file of its own in bundles: of the worker's own it may import types, and what else is for it alone.

/** Where the flags of a `traceparent` end. */
const flagsEnd = 54;

/** OpenTelemetry's SDK, with an exporter of its own: what a host has registered globally stays as it is. */
export class OpenTelemetry {
  readonly #provider: TracerProvider;
  readonly #finished: FinishedSpans;
  readonly #random = new RandomIdGenerator();
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
    const { root, followsParents } = samplersOf(settings);
    this.#newTraces = new NewTraces(this.#random, root);
    this.#followsParents = followsParents;
    const maxQueueSize = settings.OTEL_BSP_MAX_QUEUE_SIZE;
    const ids = new GivenIds();
    this.#provider = new TracerProvider({
      // Only what is sampled gets there.
      sampler: new AlwaysOnSampler(),
      idGenerator: ids,
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
    this.#finished = new FinishedSpans(this.#provider.getTracer('@flash/worker'), ids, settings);
  }

  /**
   * Begins a request's span; where it is not sampled, only its place in the trace is there. Most are not, as a rule: they are told from the
   * others before the SDK is asked, which takes ten times as long.
   */
  begin(name: SpanName, { parent, attributes }: BeginSpanOptions): Span | TraceContext {
    if (parent === undefined) {
      const traceId = this.#newTraces.begin();
      if (traceId === undefined) return new UnrecordedRoot(this.#random);
      return this.#record(name, { traceId, attributes });
    }
    if (this.#followsParents && !isSampled(parent)) return parent;
    const traceId = parent.traceparent.slice(3, 35);
    const isRecorded = this.#followsParents || this.#newTraces.isSampled(traceId);
    return isRecorded
      ? this.#record(name, { traceId, parent, attributes })
      : this.#unrecorded(traceId, parent);
  }

  #record(name: SpanName, origin: SpanOrigin): Span {
    this.#collector.prepare();
    return new RecordedSpan(this.#finished, name, origin);
  }

  /** A step of a trace that is recorded elsewhere. */
  #unrecorded(traceId: string, { tracestate }: TraceContext): TraceContext {
    const traceparent = `00-${traceId}-${this.#random.generateSpanId()}-0${TraceFlags.NONE}`;
    return tracestate === undefined ? { traceparent } : { traceparent, tracestate };
  }

  /** Sends what is left, as long as it takes. */
  async flush(): Promise<void> {
    this.#finished.handOver();
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

/** The last bit of the flags; the form of what a caller sends was looked at before. */
function isSampled({ traceparent }: TraceContext): boolean {
  return (Number.parseInt(traceparent.charAt(flagsEnd), 16) & TraceFlags.SAMPLED) !== 0;
}

interface Samplers {
  readonly root: Sampler;
  readonly followsParents: boolean;
}

function samplersOf(settings: TracingSettings): Samplers {
  const { OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: ratio } = settings;
  const root = name.endsWith('traceidratio') ? new TraceIdRatioBasedSampler(ratio) : new AlwaysOnSampler();
  const followsParents = name.startsWith('parentbased');
  return { root, followsParents };
}
