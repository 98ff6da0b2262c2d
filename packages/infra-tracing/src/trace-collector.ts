import { HttpCallError, HttpClient } from '@flash/http-client';
import pRetry from 'p-retry';
import type { TracingSettings } from './settings.ts';

/** Attempts to hand a batch over; the spans of the next ones wait meanwhile, and those beyond the queue are dropped. */
const attempts = 5;
const pauses = { minTimeout: 1000, maxTimeout: 5000, factor: 1.5, randomize: true };
/** What a collector answers that can't take more now (OTLP/HTTP). */
const passing = new Set([429, 502, 503, 504]);
const maxAnswerBytes = 1024 * 1024;

/** Whoever collects traces, over OTLP/HTTP. */
export class TraceCollector {
  readonly #http: HttpClient;
  readonly #settings: TracingSettings;

  constructor(settings: TracingSettings, headers: Readonly<Record<string, string>>) {
    this.#settings = settings;
    this.#http = new HttpClient({
      headers,
      secrets: [settings.OTEL_EXPORTER_OTLP_HEADERS, ...secretsOf(headers)],
      maxAnswerBytes,
      maxAnswerSetting: 'no setting; what a collector says to traces is short',
    });
  }

  /** @throws HttpCallError when it was not taken. */
  async send(body: Uint8Array): Promise<void> {
    const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint = '', OTEL_EXPORTER_OTLP_TIMEOUT: timeoutMs } =
      this.#settings;
    const url = `${endpoint.replace(/\/+$/, '')}/v1/traces`;
    await pRetry(() => this.#http.call({ method: 'POST', url, body, timeoutMs }), {
      ...pauses,
      retries: attempts - 1,
      // Nothing is kept waiting for traces.
      unref: true,
      shouldRetry: ({ error }) =>
        error instanceof HttpCallError && (error.status === undefined || passing.has(error.status)),
    });
  }
}

/** All but what we say ourselves. */
function secretsOf({ 'content-type': _, ...headers }: Readonly<Record<string, string>>): readonly string[] {
  return Object.values(headers);
}
