import type { ServerResponse } from 'node:http';
import type { EncodedResponse, RequestEvent } from '@flash/worker-core';
import type { HttpError } from './http-error.ts';

/** What is refused is refused before that: until then it gets a status of its own. */
const headDelayMs = 250;

/** Bounds of one stream. */
export interface EventStreamOptions {
  /** Bytes that may wait for a client to read them. */
  readonly maxWaitingBytes: number;
  /** Time after which a silent stream gives a sign of life, in milliseconds. */
  readonly keepAliveMs: number;
}

/**
 * One request's answer as server-sent events (docs/reference/protocol.md, Event stream): `log` for each system line and each piece of output while it
 * is at work, then one `response` with the FunctionResponse, or `error`.
 *
 * A client that reads slowly does not hold up user code: what does not fit is left out, which a line says. The response has it all.
 */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #options: EventStreamOptions;
  readonly #headTimer: NodeJS.Timeout;
  readonly #keepAlive: NodeJS.Timeout;
  #leftOutBytes = 0;

  constructor(response: ServerResponse, options: EventStreamOptions) {
    this.#response = response;
    this.#options = options;
    this.#headTimer = setTimeout(() => this.#open(), headDelayMs);
    this.#keepAlive = setInterval(() => this.#write(':\n\n'), options.keepAliveMs);
  }

  /** Whether the client has been told that there is a stream. */
  get isOpen(): boolean {
    return this.#response.headersSent;
  }

  readonly log = (event: RequestEvent): void => {
    const data = JSON.stringify(event);
    if (this.#response.writableLength > this.#options.maxWaitingBytes) {
      this.#leftOutBytes += data.length;
      return;
    }
    this.#tellWhatIsLeftOut();
    this.#write(`event: log\ndata: ${data}\n\n`);
  };

  finish(answer: EncodedResponse): void {
    this.#tellWhatIsLeftOut();
    this.#write('event: response\ndata: ');
    for (const piece of answer.toJsonChunks()) this.#response.write(piece);
    this.#response.end('\n\n');
  }

  fail({ status, code, message }: HttpError): void {
    this.#write(
      `event: error\ndata: ${JSON.stringify({ success: false, error: message, code, status })}\n\n`,
    );
    this.#response.end();
  }

  /** To be called whatever has become of the request. */
  close(): void {
    clearTimeout(this.#headTimer);
    clearInterval(this.#keepAlive);
  }

  #tellWhatIsLeftOut(): void {
    if (this.#leftOutBytes === 0) return;
    const line = `[${this.#leftOutBytes} bytes of log were left out: the client reads too slowly; FLASH_LIVE_LOG_BYTES raises what may wait]`;
    this.#leftOutBytes = 0;
    this.#write(`event: log\ndata: ${JSON.stringify({ kind: 'system', line })}\n\n`);
  }

  #write(text: string): void {
    this.#open();
    if (!this.#response.destroyed) this.#response.write(text);
  }

  #open(): void {
    if (this.#response.headersSent || this.#response.destroyed) return;
    this.#response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // Kept, it would hold up the end of a process that was asked to end meanwhile.
      connection: 'close',
      // Proxies would wait for more of it.
      'x-accel-buffering': 'no',
    });
    this.#response.flushHeaders();
  }
}
