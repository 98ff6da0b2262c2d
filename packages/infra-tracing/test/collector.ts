import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSafeServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Server } from 'node:net';

/** What is to become of a request; the last one goes on for all that follow. */
type Fault = number | 'silence' | 'echo';

/** A collector of traces, with faults. */
export class Collector {
  readonly bodies: string[] = [];
  connections = 0;
  readonly #faults: Fault[];
  readonly #server: Server & { closeAllConnections(): void; closeIdleConnections(): void };
  readonly #isSafe: boolean;

  private constructor(faults: readonly Fault[], options?: ServerOptions) {
    this.#faults = [...faults];
    const take = (request: IncomingMessage, response: ServerResponse): void =>
      void this.#take(request, response);
    this.#isSafe = options !== undefined;
    this.#server = options === undefined ? createServer(take) : createSafeServer(options, take);
    this.#server.on('connection', () => {
      this.connections++;
    });
  }

  static async open(faults: readonly Fault[] = [200], options?: ServerOptions): Promise<Collector> {
    const collector = new Collector(faults, options);
    await new Promise<void>((resolve) => collector.#server.listen(0, '127.0.0.1', resolve));
    return collector;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return this.#isSafe ? `https://localhost:${port}` : `http://127.0.0.1:${port}`;
  }

  closeIdleConnections(): void {
    this.#server.closeIdleConnections();
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    this.bodies.push(Buffer.concat(pieces).toString());
    const fault = this.#faults.length > 1 ? this.#faults.shift() : this.#faults[0];
    if (fault === 'silence') return;
    if (fault === 'echo') response.writeHead(401).end(`no good: ${request.headers['api-key']}`);
    else response.writeHead(fault as number).end('{}');
  }
}
