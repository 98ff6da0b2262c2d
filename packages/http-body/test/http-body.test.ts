import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type BodyError,
  bodySettingsSchema,
  explainClientErrors,
  readBody,
  serverTimeouts,
} from '../src/index.ts';

let server: Server;
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** A server that answers with the length of the body, or why it has none. */
async function open(settings: Record<string, string>): Promise<number> {
  const given = bodySettingsSchema.parse(settings);
  server = createServer(serverTimeouts(given), (request, response) => {
    if (request.url === '/unread') return void response.end('unread');
    readBody(request, {
      maxBytes: given.FLASH_MAX_BODY_BYTES,
      timeoutMs: given.FLASH_REQUEST_TIMEOUT_MS,
    }).then(
      (body) => response.end(String(body.length)),
      (error: BodyError) => response.writeHead(error.status).end(error.message),
    );
  });
  explainClientErrors(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** Sends text and leaves the connection open. Resolves with the answer and how long it took, when the other side ends it or has said `until`. */
function send(port: number, text: string, until = /$^/): Promise<{ answer: string; ms: number }> {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    const end = (): void => {
      socket.destroy();
      resolve({ answer, ms: performance.now() - startedAt });
    };
    socket.setEncoding('utf8').on('data', (piece: string) => {
      answer += piece;
      if (until.test(answer)) end();
    });
    socket.on('close', end).on('error', () => {});
  });
}

const head = (path: string, length: number): string =>
  `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: ${length}\r\n\r\n`;

describe('a body', () => {
  it('that stalls is refused, not before its time, with the reason, whether any of it came or not', async () => {
    const port = await open({ FLASH_REQUEST_TIMEOUT_MS: '2000' });
    const [some, none] = await Promise.all([
      send(port, `${head('/', 100)}${'x'.repeat(40)}`, /40 bytes/),
      send(port, head('/', 100), /had come/),
    ]);
    expect(some.answer).toMatch(/^HTTP\/1\.1 408 .*not whole after 2000 ms, 40 bytes had come/s);
    expect(none.answer).toMatch(/^HTTP\/1\.1 408 .*0 bytes had come: .*FLASH_REQUEST_TIMEOUT_MS/s);
    for (const { ms } of [some, none]) expect(ms).toBeGreaterThan(1900);
  });

  it('is whole, or too large, announced or not', async () => {
    const port = await open({ FLASH_MAX_BODY_BYTES: '1000' });
    const url = `http://127.0.0.1:${port}/`;
    const post = async (body: string | ReadableStream): Promise<string> =>
      (await fetch(url, { method: 'POST', body, duplex: 'half' } as RequestInit)).text();
    expect(await post('x'.repeat(1000))).toBe('1000');
    expect(await post('')).toBe('0');
    const reason = 'the body is larger than 1000 bytes: send less, or raise FLASH_MAX_BODY_BYTES';
    expect(await post('x'.repeat(1001))).toBe(reason);
    const chunks = new ReadableStream({
      start(controller) {
        for (let index = 0; index < 5; index++) controller.enqueue(new Uint8Array(300));
        controller.close();
      },
    });
    expect(await post(chunks)).toBe(reason);
  });

  it('may take for ever where there is no bound', async () => {
    const port = await open({ FLASH_REQUEST_TIMEOUT_MS: '0' });
    const socket = connect(port, '127.0.0.1', () => socket.write(`${head('/', 4)}ab`));
    await new Promise((resolve) => setTimeout(resolve, 400));
    const answer = new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data))));
    socket.write('cd');
    expect(await answer).toMatch(/200 OK.*4$/s);
    socket.destroy();
  });
});

describe('a connection', () => {
  it('whose headers stall is told so on time, also when the whole may take less than headers by default', async () => {
    const port = await open({ FLASH_REQUEST_TIMEOUT_MS: '900' });
    const { answer, ms } = await send(port, 'POST / HTTP/1.1\r\nhost: x\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 408 .*"code":"ERR_HTTP_REQUEST_TIMEOUT"/s);
    // By default headers may take a minute.
    expect(ms).toBeLessThan(30_000);
  });

  it('that speaks no HTTP is told why', async () => {
    const port = await open({});
    expect((await send(port, 'SSH-2.0-client\r\n\r\n')).answer).toMatch(
      /^HTTP\/1\.1 400 .*this is no HTTP request/s,
    );
    const many = `GET / HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`;
    expect((await send(port, many)).answer).toMatch(/^HTTP\/1\.1 431 .*headers are too large/s);
  });

  it('whose body the server does not read is closed all the same', async () => {
    const port = await open({ FLASH_REQUEST_TIMEOUT_MS: '500' });
    const { answer, ms } = await send(port, head('/unread', 10));
    expect(answer).toMatch(/unread$/);
    // Node.js by itself waits for five minutes.
    expect(ms).toBeLessThan(60_000);
  });

  it.each([
    [{}, [60_000, 302_000, 1000]],
    [{ FLASH_REQUEST_TIMEOUT_MS: '6000' }, [6000, 8000, 750]],
    [{ FLASH_HEADERS_TIMEOUT_MS: '0', FLASH_REQUEST_TIMEOUT_MS: '0' }, [0, 0, 1000]],
    [{ FLASH_HEADERS_TIMEOUT_MS: '0' }, [300_000, 302_000, 1000]],
  ])('is looked for as the settings say: %j', (settings, expected) => {
    const options = serverTimeouts(bodySettingsSchema.parse(settings));
    const { headersTimeout, requestTimeout, connectionsCheckingInterval } = options;
    expect([headersTimeout, requestTimeout, connectionsCheckingInterval]).toEqual(expected);
    expect(() => createServer(options)).not.toThrow();
    server = createServer();
  });
});
