import { setTimeout as delay } from 'node:timers/promises';
import {
  type BeginSpanOptions,
  type Log,
  noTracer,
  PassingSpan,
  type Span,
  type SpanAttributes,
  type Tracer,
} from '@flash/worker-core';
import type { OpenTelemetry } from './open-telemetry.ts';
import type { SenderPython } from './sender-process.ts';
import type { TracingSettings } from './settings.ts';

export interface OtlpTracerOptions {
  readonly settings: TracingSettings;
  /** Who the worker is; part of every trace. */
  readonly attributes: SpanAttributes;
  readonly log: Log;
  /** Path of the interpreter of the process that sends spans. */
  readonly python: SenderPython;
}

/** Tracer on OpenTelemetry's SDK, which is loaded once the worker is ready, or for the first request if that comes before. The collector may be away: spans are dropped then. */
export class OtlpTracer implements Tracer {
  readonly #options: OtlpTracerOptions;
  #sdk: OpenTelemetry | undefined;
  #starting: Promise<void> | undefined;
  #hasStarted = false;
  #failing = false;

  constructor(options: OtlpTracerOptions) {
    this.#options = options;
  }

  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  get loading(): Promise<void> | undefined {
    return this.#hasStarted ? undefined : this.start();
  }

  async #start(): Promise<void> {
    const { settings, attributes, log, python } = this.#options;
    try {
      const { OpenTelemetry: Sdk } = await import('./open-telemetry.ts');
      this.#sdk = new Sdk(settings, attributes, python, (error) => this.#onError(error));
      log.write('info', 'tracing', { endpoint: settings.OTEL_EXPORTER_OTLP_ENDPOINT });
    } catch (error) {
      log.write('error', 'traces can’t be made: the worker goes on without', { error });
    }
    this.#hasStarted = true;
  }

  begin(name: 'POST /execute' | 'job', options: BeginSpanOptions = {}): Span {
    if (this.#sdk === undefined) return noTracer.begin(name, options);
    const begun = this.#sdk.begin(name, options);
    return 'end' in begun ? begun : new PassingSpan(begun);
  }

  async close(): Promise<void> {
    const { FLASH_TRACES_FLUSH_MS } = this.#options.settings;
    const waited = new AbortController();
    const flushed = this.#sdk?.flush().catch((error: unknown) => this.#onError(error));
    await Promise.race([
      flushed,
      delay(FLASH_TRACES_FLUSH_MS, undefined, { signal: waited.signal }).catch(() => {}),
    ]);
    waited.abort();
    this.#sdk?.close();
  }

  /** Told once: every batch that can't be sent fails the same way. */
  #onError(error: unknown): void {
    if (this.#failing) return;
    this.#failing = true;
    this.#options.log.write('warn', 'traces can’t be exported; they are dropped as long as that is so', {
      endpoint: this.#options.settings.OTEL_EXPORTER_OTLP_ENDPOINT,
      error,
    });
  }
}
