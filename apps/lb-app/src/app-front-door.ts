import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import type { AppPlace, FrontDoor, Log } from '@flash/worker-core';
import { HttpError } from './http-error.ts';
import { refuse } from './refuse.ts';
import type { LbSettings } from './settings.ts';

/** While the port is being let go of by a process that has just died, it is tried again so often. */
const listenAttempts = 100;
/** Time in which a connection that came before the app was ready may still be waiting to be heard, in milliseconds. */
const takeOverMs = 500;
const retryAfter = { 'retry-after': '1' };
const starting = new HttpError(503, 'STARTING', 'the app is starting', retryAfter);

/**
 * Answers on the port of the user's web app whenever the app itself does not: 204 on `/ping` before it is ready for the first time, 503
 * with the reason when it is down (docs/reference/protocol.md, Load-balancer entry). It keeps listening while the app serves, where the system lets
 * both.
 */
export class AppFrontDoor implements FrontDoor {
  readonly #settings: LbSettings;
  readonly #log: Log;
  #server: Server | undefined;
  #address: AddressInfo | undefined;
  #isShared = false;
  #refusal = starting;
  #startingUntil = Number.POSITIVE_INFINITY;
  #isClosed = false;

  constructor(settings: LbSettings, log: Log) {
    this.#settings = settings;
    this.#log = log;
  }

  /** Answers from here on. Resolves with where. */
  async listen(): Promise<AppPlace> {
    const { HOST, PORT, FLASH_SHARE_PORT, FLASH_KEEP_ALIVE_MS, FLASH_DRAIN_MS } = this.#settings;
    this.#isShared = FLASH_SHARE_PORT;
    try {
      await this.#open(HOST, PORT);
    } catch (error) {
      if (!this.#isShared || (error as NodeJS.ErrnoException).code !== 'ENOTSUP') throw error;
      this.#isShared = false;
      await this.#open(HOST, PORT);
    }
    const { address, port, family } = this.#address as AddressInfo;
    return {
      host: address,
      port,
      isIpv6: family === 'IPv6',
      isShared: this.#isShared,
      keepAliveMs: FLASH_KEEP_ALIVE_MS,
      drainMs: FLASH_DRAIN_MS,
    };
  }

  appReady(): void {
    // This process may accept only now what a client has connected before the app took over.
    this.#startingUntil = this.#isStarting ? performance.now() + takeOverMs : 0;
    // A request that still comes here has connected in the moment in which the app died.
    this.#refusal = new HttpError(503, 'APP', 'the app does not answer just now: try again', retryAfter);
    this.#server?.closeIdleConnections();
  }

  appUnavailable(error: Error): void {
    this.#startingUntil = 0;
    this.#refusal = new HttpError(503, 'APP', error.message, retryAfter);
    if (this.#server === undefined) void this.#reopen();
  }

  async releasePort(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.close();
    server?.closeIdleConnections();
    await turn();
  }

  /** Listens no more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.releasePort();
  }

  /** The app was not ready yet, for all that a client can know. */
  get #isStarting(): boolean {
    return performance.now() < this.#startingUntil;
  }

  #open(host: string, port: number): Promise<void> {
    const server = createServer((request, response) => void this.#answer(request, response));
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once('error', (error) => {
        this.#server = undefined;
        reject(error);
      });
      server.listen({ host, port, reusePort: this.#isShared }, () => {
        this.#address = server.address() as AddressInfo;
        resolve();
      });
    });
  }

  async #reopen(): Promise<void> {
    const { address, port } = this.#address as AddressInfo;
    for (let attempt = 1; !this.#isClosed && this.#server === undefined; attempt++) {
      try {
        return await this.#open(address, port);
      } catch (error) {
        if (attempt === listenAttempts)
          return this.#log.write('error', 'the app’s port can’t be had', { port, error });
        await new Promise((resolve) => setTimeout(resolve, 5 * attempt));
      }
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A connection that was kept would never reach the app.
    response.setHeader('connection', 'close');
    if (this.#isStarting && request.url?.split('?', 1)[0] === '/ping') {
      response.writeHead(204).end();
      return;
    }
    await refuse(request, response, this.#isStarting ? starting : this.#refusal);
  }
}
