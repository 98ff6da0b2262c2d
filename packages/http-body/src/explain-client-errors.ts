import { type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

/** What Node's HTTP parser says of a request, as its client is told. */
const explanations: Readonly<Record<string, readonly [status: number, reason: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [
    408,
    'the request was not whole in time: send it sooner, or raise FLASH_HEADERS_TIMEOUT_MS or FLASH_REQUEST_TIMEOUT_MS',
  ],
  HPE_HEADER_OVERFLOW: [431, 'the headers are too large: send fewer, or shorter ones'],
};

/** Has a server say as JSON what is wrong with a request that never becomes one. Node's own answer has no body. */
export function explainClientErrors(server: Server): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    // An answer to an earlier request may be on its way, and this one would end up in the middle of it.
    if (socket.destroyed || !socket.writable || socket.bytesWritten > 0 || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const [status, reason] = explanations[error.code ?? ''] ?? [
      400,
      `this is no HTTP request: ${error.message}`,
    ];
    const body = JSON.stringify({ success: false, error: reason, code: error.code ?? 'BAD_REQUEST' });
    socket.end(
      [
        `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
        'content-type: application/json',
        `content-length: ${Buffer.byteLength(body)}`,
        'connection: close',
        '',
        body,
      ].join('\r\n'),
    );
  });
}
