import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from '@flash/worker-core';

/** Answers one `GET /metrics`; with 500 and the reason when there are none to be had. Never rejects. */
export async function answerMetrics(
  metrics: Metrics,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end();
    return;
  }
  try {
    const { text, contentType } = await metrics.expose();
    const length = Buffer.byteLength(text);
    response.writeHead(200, { 'content-type': contentType, 'content-length': length }).end(text);
  } catch (error) {
    const reason = `the metrics can't be had: ${(error as Error).message}\n`;
    response.writeHead(500, { 'content-type': 'text/plain' }).end(reason);
  }
}

/** `/metrics` on a port of its own, for front doors that have no HTTP, or the user's own. */
export class MetricsServer {
  readonly #metrics: Metrics;
  #server: Server | undefined;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /**
   * Resolves with the port.
   *
   * @param port - 0: any free one.
   * @throws what the system says, with the address, when the port can't be had.
   */
  listen(host: string, port: number): Promise<number> {
    const server = createServer((request, response) => {
      if (request.url?.split('?', 1)[0] === '/metrics') void answerMetrics(this.#metrics, request, response);
      else
        response.writeHead(404, { 'content-type': 'text/plain' }).end('only GET /metrics is served here\n');
    });
    // A server of metrics does not keep the process from ending.
    server.unref();
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
    });
  }

  close(): void {
    this.#server?.close();
    this.#server?.closeAllConnections();
  }
}
