import pRetry, { AbortError } from 'p-retry';
import { type Attempt, SenderProcess, type SenderPython, type SenderStart } from './sender-process.ts';
import type { TracingSettings } from './settings.ts';

/** Attempts to hand a batch over; the spans of the next ones wait meanwhile, and those beyond the queue are dropped. */
const attempts = 5;
const pauses = { minTimeout: 1000, maxTimeout: 5000, factor: 1.5, randomize: true };
/** What a collector answers that can't take more now (OTLP/HTTP). */
const passing = new Set([429, 502, 503, 504]);

/** The collector of traces, over OTLP/HTTP. */
export class TraceCollector {
  readonly #python: SenderPython;
  readonly #start: SenderStart;
  #sender: SenderProcess | undefined;
  #isPrepared = false;
  readonly #abandoned = new AbortController();

  /** @param headers - sent with every batch; what they hold but for `content-type` is a secret. */
  constructor(settings: TracingSettings, headers: Readonly<Record<string, string>>, python: SenderPython) {
    const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint = '', OTEL_EXPORTER_OTLP_TIMEOUT: timeoutMs } = settings;
    this.#python = python;
    this.#start = { url: new URL(`${endpoint.replace(/\/+$/, '')}/v1/traces`).href, headers, timeoutMs };
  }

  /**
   * There is going to be something to send: brings up the process in the background. With the first spans and not with the first batch, seconds
   * later: what a new connection has V8 learn is learnt before the functions on the way of requests are optimised for what they have seen.
   */
  prepare(): void {
    if (this.#isPrepared) return;
    this.#isPrepared = true;
    setImmediate(() => {
      if (this.#abandoned.signal.aborted) return;
      try {
        this.#open();
      } catch {
        // The first batch will say so.
      }
    });
  }

  /** @throws Error with the reason why it was not taken. */
  async send(body: Uint8Array): Promise<void> {
    await pRetry(() => this.#attempt(body), {
      ...pauses,
      retries: attempts - 1,
      // Nothing is kept waiting for traces.
      unref: true,
      signal: this.#abandoned.signal,
    });
  }

  /** Gives up what is under way, and what would be tried again: no process is begun any more. */
  abandon(): void {
    this.#abandoned.abort(new Error('the worker ended before they were sent'));
    this.#sender?.kill('it was ended');
  }

  async #attempt(body: Uint8Array): Promise<void> {
    const attempt = await this.#open().post(body);
    const { status } = attempt;
    if (status !== undefined && status >= 200 && status < 300) return;
    const { origin, pathname } = new URL(this.#start.url);
    const error = new Error(`${origin}${pathname}: ${this.#clean(reasonOf(attempt))}`);
    throw status === undefined || passing.has(status) ? error : new AbortError(error);
  }

  /** The process there is, or another where it is gone. */
  #open(): SenderProcess {
    if (this.#sender === undefined || this.#sender.hasEnded) this.#sender = this.#begin();
    return this.#sender;
  }

  #begin(): SenderProcess {
    const { url } = this.#start;
    const certificates = url.startsWith('https:') ? trustedCertificates() : undefined;
    return new SenderProcess(this.#python, { ...this.#start, ...(certificates && { certificates }) });
  }

  #clean(text: string): string {
    const { 'content-type': _, ...secrets } = this.#start.headers;
    const told = Object.values(secrets).filter((secret) => secret !== '');
    return told.reduce((clean, secret) => clean.replaceAll(secret, '[redacted]'), text);
  }
}

function reasonOf(attempt: Attempt): string {
  if (attempt.status === undefined) return attempt.failure;
  return `status ${attempt.status}${attempt.answer === '' ? '' : `: ${attempt.answer}`}`;
}

/** Those that the worker's own calls trust. Asked for here: most collectors are nearby and spoken to in plain HTTP. */
function trustedCertificates(): string {
  return process.getBuiltinModule('node:tls').getCACertificates('default').join('\n');
}
