import { type HttpAnswer, type HttpCall, HttpCallError, HttpClient } from '@flash/http-client';
import { workerVersion } from '@flash/worker-core';
import { PlatformContact } from './platform-contact.ts';
import { QueueCallError } from './queue-call-error.ts';

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

/** HTTP as the queue protocol speaks it. */
export class QueueClient {
  /** Hears of every call that succeeds. */
  readonly contact = new PlatformContact();
  readonly #http: HttpClient;

  constructor({ apiKey, maxAnswerBytes }: QueueClientOptions) {
    this.#http = new HttpClient({
      headers: {
        'user-agent': `flash-worker/${workerVersion}`,
        ...(apiKey === undefined ? {} : { authorization: apiKey }),
      },
      secrets: [apiKey],
      maxAnswerBytes,
      maxAnswerSetting: 'FLASH_MAX_TAKE_BYTES',
    });
    this.#http.prepare();
  }

  /** @throws QueueCallError for a status other than 2xx, or when there was no whole answer in time; the signal's reason when aborted. */
  get(url: string, options: CallOptions): Promise<HttpAnswer> {
    return this.#call({ method: 'GET', url, ...options });
  }

  /** The same with a body; its headers are those of the platform's own SDK (docs/reference/protocol.md, Result). */
  post(
    url: string,
    body: Uint8Array,
    jobId: string,
    { headers, ...options }: CallOptions & { headers?: Record<string, string> },
  ): Promise<HttpAnswer> {
    const all = {
      'content-type': 'application/x-www-form-urlencoded',
      charset: 'utf-8',
      'x-request-id': headerText(jobId),
      ...headers,
    };
    return this.#call({ method: 'POST', url, body, headers: all, ...options });
  }

  async #call(call: HttpCall): Promise<HttpAnswer> {
    const answer = await this.#http.call(call).catch(asQueueError);
    this.contact.noteSuccess();
    return answer;
  }

  /** Ends every connection. */
  close(): Promise<void> {
    return this.#http.close();
  }
}

function asQueueError(error: unknown): never {
  if (!(error instanceof HttpCallError)) throw error;
  const { message, status, answer } = error;
  throw new QueueCallError(message, { answer, ...(status === undefined ? {} : { status }) });
}

/** A header holds printable ASCII only; ids beyond that go percent-encoded. */
function headerText(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : encodeURIComponent(text);
}
