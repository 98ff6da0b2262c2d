import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** What the double does with one request instead of answering it. */
export type Fault =
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'errors'; readonly message: string; readonly code?: string }
  | { readonly kind: 'garbage'; readonly text: string }
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'drop' };

/** Speaks the State Manager's GraphQL over HTTP: environments, builds, and faults. */
export class StateManagerDouble {
  readonly #server: Server;
  readonly apiKey: string;
  readonly environments: Record<string, string> = {};
  readonly builds: Record<string, unknown> = {};
  /** The next requests meet with these, one each. */
  faults: Fault[] = [];
  /** What was asked for, in order: `flashEnvironment env-1`. */
  readonly asked: string[] = [];

  static async open(apiKey: string): Promise<StateManagerDouble> {
    const double = new StateManagerDouble(apiKey);
    await new Promise<void>((resolve) => double.#server.listen(0, '127.0.0.1', resolve));
    return double;
  }

  private constructor(apiKey: string) {
    this.apiKey = apiKey;
    this.#server = createServer(async (request, response) => {
      let text = '';
      for await (const piece of request) text += String(piece);
      const answer = (status: number, body: string): void => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(body);
      };
      if (request.method !== 'POST' || request.url !== '/graphql') return answer(404, 'no such route');
      if (request.headers.authorization !== `Bearer ${apiKey}`)
        return answer(401, '{"message":"who are you?"}');
      const fault = this.faults.shift();
      switch (fault?.kind) {
        case 'status':
          return answer(fault.status, `it failed for ${request.headers.authorization}`);
        case 'errors':
          return answer(
            200,
            JSON.stringify({
              data: null,
              errors: [{ message: fault.message, extensions: { code: fault.code } }],
            }),
          );
        case 'garbage':
          return answer(200, fault.text);
        case 'drop':
          return void request.socket.destroy();
        case 'slow':
          await delay(fault.ms);
      }
      answer(
        200,
        JSON.stringify(this.#resolve(JSON.parse(text) as { query: string; variables: { id: string } })),
      );
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #resolve({ query, variables: { id } }: { query: string; variables: { id: string } }): object {
    const field = query.includes('flashEnvironment(flashEnvironmentId') ? 'flashEnvironment' : 'flashBuild';
    this.asked.push(`${field} ${id}`);
    if (field === 'flashEnvironment') {
      const activeBuildId = this.environments[id];
      return { data: { flashEnvironment: activeBuildId === undefined ? null : { activeBuildId } } };
    }
    const manifest = this.builds[id];
    return { data: { flashBuild: manifest === undefined ? null : { id, manifest } } };
  }
}
