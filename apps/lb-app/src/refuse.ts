import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpError } from './http-error.ts';
import { discardBody } from '@flash/http-body';

/** A client that was refused may go on writing for so long before its connection is closed. */
const discardMs = 10_000;

/** Answers with an error as JSON. With `connection: close` set, a body that is still on its way is taken first. */
export async function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  { status, code, message, headers }: HttpError,
): Promise<void> {
  const body = Buffer.from(JSON.stringify({ success: false, error: message, code }));
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': body.length,
    ...headers,
  });
  response.write(body);
  if (response.getHeader('connection') === 'close' && !request.complete)
    await discardBody(request, discardMs);
  response.end();
}
