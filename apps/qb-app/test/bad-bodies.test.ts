import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ServedProcess } from './served-process.ts';

const deep = `{"input":{"function_name":"f","x":${'[{"y":'.repeat(300_000)}1${'}]'.repeat(300_000)}}}`;

describe.each([
  [
    'the queue API',
    ['--rp_serve_api', '--rp_api_host', '127.0.0.1', '--rp_api_port', '0'],
    {},
    '/v2/any/runsync',
  ],
  ['the realtime port', [], { RUNPOD_REALTIME_PORT: '0' }, '/local/realtime'],
])('a body at %s', (_, args, env, route) => {
  let served: ServedProcess;
  beforeAll(() => {
    served = new ServedProcess(args, {
      FLASH_REQUEST_TIMEOUT_MS: '4000',
      FLASH_MAX_BODY_BYTES: '9000000',
      ...env,
    });
  });
  afterAll(() => served.close());
  const post = async (body: string): Promise<{ status: number; error: string }> => {
    const response = await fetch(`http://127.0.0.1:${await served.port()}${route}`, { method: 'POST', body });
    return { status: response.status, error: ((await response.json()) as { error: string }).error };
  };

  it.each([
    ['with a byte order mark', '\ufeff{"input":{}}', 400, /byte order mark/],
    ['nested deep', deep, 400, /nested more than 900 levels/],
    ['that is no JSON', '{"input":', 400, /is not JSON: Unexpected end/],
    ['that is too large', ' '.repeat(9_000_001), 413, /larger than 9000000 bytes.*FLASH_MAX_BODY_BYTES/],
  ])('%s is refused with the reason', async (_name, body, status, error) => {
    expect(await post(body)).toEqual({ status, error: expect.stringMatching(error) });
  });

  it('that stalls is refused', async () => {
    const port = await served.port();
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(port, '127.0.0.1', () =>
        socket.write(
          `POST ${route} HTTP/1.1\r\nhost: localhost:${port}\r\ncontent-length: 50\r\n\r\n{"input"`,
        ),
      );
      let text = '';
      socket
        .on('close', () => resolve(text))
        .on('data', (data) => {
          text += String(data);
          if (text.includes('had come')) socket.destroy();
        });
    });
    expect(answer).toMatch(/^HTTP\/1\.1 408 .*not whole after 4000 ms, 8 bytes had come/s);
  });
});
