import type { Agent, Dispatcher } from 'undici';
import { HttpCallError } from './http-call-error.ts';

const longestAnswerShown = 300;
/** To hide a shorter one would blank out ordinary words. */
const shortestSecret = 6;
/** What goes wrong before a connection exists. */
const unconnected = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

export interface HttpClientOptions {
  /** Sent with every call. */
  readonly headers: Readonly<Record<string, string>>;
  /** Kept out of every error. */
  readonly secrets: readonly (string | undefined)[];
  /** Largest answer that is read, and the setting that says so. */
  readonly maxAnswerBytes: number;
  readonly maxAnswerSetting: string;
}

export interface HttpCall {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: Uint8Array | undefined;
  /** Kept out of this call's errors, beside the client's own. */
  readonly secrets?: readonly string[] | undefined;
  /** Bound of the whole call, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** An answer with a status of success. */
export interface HttpAnswer {
  readonly status: number;
  readonly bytes: Buffer;
}

/** Makes HTTP calls; connections are kept. undici is loaded with the first call: many a program that could call never does. */
export class HttpClient {
  readonly #options: HttpClientOptions;
  #agent: Promise<Agent> | undefined;

  constructor(options: HttpClientOptions) {
    this.#options = options;
  }

  /** Loads what the first call needs, ahead of it. */
  prepare(): void {
    this.#open().catch(() => {});
  }

  /** @throws HttpCallError for a status other than 2xx, or when there was no whole answer in time; the signal's reason when aborted. */
  async call(call: HttpCall): Promise<HttpAnswer> {
    const { timeoutMs, signal } = call;
    const end = new AbortController();
    const onAbort = (): void => end.abort(signal?.reason);
    signal?.throwIfAborted();
    signal?.addEventListener('abort', onAbort, { once: true });
    const timer = setTimeout(() => end.abort(new HttpCallError(`no answer in ${timeoutMs} ms`)), timeoutMs);
    try {
      return await this.#exchange(call, end.signal);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw this.#explain(call, end.signal.aborted ? end.signal.reason : error);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Ends every connection. */
  async close(): Promise<void> {
    await (await this.#agent)?.destroy();
  }

  #open(): Promise<Agent> {
    this.#agent ??= openAgent();
    return this.#agent;
  }

  async #exchange({ method, url, headers, body }: HttpCall, signal: AbortSignal): Promise<HttpAnswer> {
    const { origin, pathname, search } = new URL(url);
    const agent = await this.#open();
    const response = await agent.request({
      origin,
      path: `${pathname}${search}`,
      method: method as Dispatcher.HttpMethod,
      headers: { ...this.#options.headers, ...headers },
      body: body ?? null,
      signal,
    });
    const bytes = await this.#read(response);
    const { statusCode: status } = response;
    if (status < 300) return { status, bytes };
    const answer = bytes.toString('utf8', 0, longestAnswerShown).trim();
    throw new HttpCallError(`status ${status}${answer === '' ? '' : `: ${answer}`}`, { status, answer });
  }

  async #read({ body }: Dispatcher.ResponseData): Promise<Buffer> {
    const { maxAnswerBytes, maxAnswerSetting } = this.#options;
    const pieces: Buffer[] = [];
    let length = 0;
    for await (const piece of body as AsyncIterable<Buffer>) {
      length += piece.length;
      if (length > maxAnswerBytes) {
        throw new HttpCallError(`the answer is larger than ${maxAnswerBytes} bytes (${maxAnswerSetting})`);
      }
      pieces.push(piece);
    }
    return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, length);
  }

  #explain({ url, secrets = [] }: HttpCall, error: unknown): HttpCallError {
    const hidden = [...this.#options.secrets, ...secrets];
    const { origin, pathname } = new URL(url);
    const { message, code } = error as Error & { code?: string };
    const known = error instanceof HttpCallError ? error : undefined;
    return new HttpCallError(`${origin}${pathname}: ${clean(message || code || String(error), hidden)}`, {
      status: known?.status,
      answer: known && clean(known.answer, hidden),
      neverSent: code !== undefined && unconnected.has(code),
    });
  }
}

function clean(text: string, secrets: readonly (string | undefined)[]): string {
  return secrets.reduce<string>(
    (cleaner, secret = '') =>
      secret.length < shortestSecret ? cleaner : cleaner.replaceAll(secret, '[redacted]'),
    text,
  );
}

async function openAgent(): Promise<Agent> {
  const { Agent } = await import('undici');
  // A call that waits for a job keeps its connection to itself, and the bundle has no HTTP/2.
  return new Agent({ allowH2: false, keepAliveTimeout: 60_000, headersTimeout: 0, bodyTimeout: 0 });
}
