import { workerVersion } from '@flash/worker-core';
import { Agent, type Dispatcher } from 'undici';
import { QueueCallError } from './queue-call-error.ts';

const longestAnswerShown = 300;

export interface QueueClientOptions {
  /** Sent as it is in `Authorization`. */
  readonly apiKey: string | undefined;
  /** Largest answer that is read. */
  readonly maxAnswerBytes: number;
}

export interface CallOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** An answer with a status of success. */
export interface Answer {
  readonly status: number;
  readonly bytes: Buffer;
}

interface Body {
  readonly bytes: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

/** HTTP as the queue protocol speaks it: connections are kept, every call is bounded, no error holds a key. */
export class QueueClient {
  readonly #agent = new Agent({ keepAliveTimeout: 60_000, headersTimeout: 0, bodyTimeout: 0 });
  readonly #options: QueueClientOptions;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(options: QueueClientOptions) {
    this.#options = options;
    this.#headers = {
      'user-agent': `flash-worker/${workerVersion}`,
      ...(options.apiKey === undefined ? {} : { authorization: options.apiKey }),
    };
  }

  /** @throws QueueCallError for a status other than 2xx, or when there was no whole answer in time; the signal's reason when aborted. */
  get(url: string, options: CallOptions): Promise<Answer> {
    return this.#call(url, undefined, options);
  }

  /** The same with a body; its headers are those of the platform's own SDK (contract, section 5). */
  post(
    url: string,
    bytes: Uint8Array,
    jobId: string,
    options: CallOptions & { headers?: Record<string, string> },
  ): Promise<Answer> {
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      charset: 'utf-8',
      'x-request-id': headerText(jobId),
      ...options.headers,
    };
    return this.#call(url, { bytes, headers }, options);
  }

  /** Ends every connection. */
  close(): Promise<void> {
    return this.#agent.destroy();
  }

  async #call(url: string, body: Body | undefined, { timeoutMs, signal }: CallOptions): Promise<Answer> {
    const end = new AbortController();
    const onAbort = (): void => end.abort(signal?.reason);
    signal?.throwIfAborted();
    signal?.addEventListener('abort', onAbort, { once: true });
    const timer = setTimeout(() => end.abort(new QueueCallError(`no answer in ${timeoutMs} ms`)), timeoutMs);
    try {
      return await this.#exchange(new URL(url), body, end.signal);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw this.#explain(url, end.signal.aborted ? end.signal.reason : error);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async #exchange(url: URL, body: Body | undefined, signal: AbortSignal): Promise<Answer> {
    const response = await this.#agent.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: body === undefined ? 'GET' : 'POST',
      headers: { ...this.#headers, ...body?.headers },
      body: body?.bytes ?? null,
      signal,
    });
    const bytes = await this.#read(response);
    if (response.statusCode < 300) return { status: response.statusCode, bytes };
    const answer = bytes.toString('utf8', 0, longestAnswerShown).trim();
    throw new QueueCallError(`status ${response.statusCode}${answer === '' ? '' : `: ${answer}`}`, {
      status: response.statusCode,
      answer,
    });
  }

  async #read({ body }: Dispatcher.ResponseData): Promise<Buffer> {
    const pieces: Buffer[] = [];
    let length = 0;
    for await (const piece of body as AsyncIterable<Buffer>) {
      length += piece.length;
      if (length > this.#options.maxAnswerBytes) {
        throw new QueueCallError(
          `the answer is larger than ${this.#options.maxAnswerBytes} bytes (FLASH_MAX_TAKE_BYTES)`,
        );
      }
      pieces.push(piece);
    }
    return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, length);
  }

  #explain(url: string, error: unknown): QueueCallError {
    const { origin, pathname } = new URL(url);
    const details =
      error instanceof QueueCallError
        ? { ...(error.status === undefined ? {} : { status: error.status }), answer: error.answer }
        : {};
    const reason = this.#withoutKey(messageOf(error));
    return new QueueCallError(`${origin}${pathname}: ${reason}`, details);
  }

  #withoutKey(text: string): string {
    const { apiKey } = this.#options;
    return apiKey === undefined || apiKey === '' ? text : text.replaceAll(apiKey, '[redacted]');
  }
}

function messageOf(error: unknown): string {
  const { message, code } = error as Error & { code?: string };
  return message || code || String(error);
}

/** A header holds printable ASCII only; ids beyond that go percent-encoded. */
function headerText(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : encodeURIComponent(text);
}
