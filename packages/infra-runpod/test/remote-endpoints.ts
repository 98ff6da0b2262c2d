import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it came. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
  /** Number of the connection it came on. */
  readonly connection: number;
}

type Answer = (request: Received, response: ServerResponse) => void;

/** Other endpoints, over real HTTP: each test says what they answer. */
export class RemoteEndpoints {
  readonly received: Received[] = [];
  readonly #server: Server;
  /** Answers every request. */
  answer: Answer;

  static async open(answer: Answer): Promise<RemoteEndpoints> {
    const endpoints = new RemoteEndpoints(answer);
    await new Promise<void>((resolve) => endpoints.#server.listen(0, '127.0.0.1', resolve));
    return endpoints;
  }

  private constructor(answer: Answer) {
    this.answer = answer;
    let connections = 0;
    const numbers = new WeakMap<object, number>();
    this.#server = createServer(async (request, response) => {
      let text = '';
      for await (const piece of request) text += String(piece);
      const received = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: text === '' ? undefined : (JSON.parse(text) as unknown),
        connection: numbers.get(request.socket) ?? 0,
      };
      this.received.push(received);
      this.answer(received, response);
    });
    this.#server.on('connection', (socket) => numbers.set(socket, ++connections));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export function reply(response: ServerResponse, body: unknown, status = 200): void {
  response
    .writeHead(status, { 'content-type': 'application/json' })
    .end(typeof body === 'string' ? body : JSON.stringify(body));
}
