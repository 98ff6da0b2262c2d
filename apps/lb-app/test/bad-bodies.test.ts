import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { App } from './running-app.ts';

const call = (kwargs: string): string =>
  `{"function_name":"depth","function_code":${JSON.stringify(code)},"serialization_format":"json","kwargs":${kwargs}}`;
const code = `
def depth(value):
    levels = 0
    while value:
        value, levels = value[0], levels + 1
    return levels
`;
const nested = (levels: number): string => `{"value":${'['.repeat(levels)}${']'.repeat(levels)}}`;

describe('a body at /execute', () => {
  let app: App;
  beforeAll(async () => {
    app = await new App({ FLASH_REQUEST_TIMEOUT_MS: '5000' }).ready();
  });
  afterAll(() => app.end());
  const refusal = async (body: string | Uint8Array): Promise<{ status: number; error: string }> => {
    const response = await fetch(`${app.url}/execute`, {
      method: 'POST',
      body: typeof body === 'string' ? body : new Blob([body as Uint8Array<ArrayBuffer>]),
    });
    return { status: response.status, error: ((await response.json()) as { error: string }).error };
  };

  it('is refused with 400 and the reason', async () => {
    const marked = Buffer.from(`\ufeff${call('{}')}`);
    expect(await refusal(marked)).toMatchObject({
      status: 400,
      error: expect.stringMatching(/byte order mark/),
    });
    const wide = Buffer.from(`\ufeff${call('{}')}`, 'utf16le');
    expect(await refusal(wide)).toMatchObject({ status: 400, error: expect.stringMatching(/UTF-16/) });
    for (const deep of [call(nested(950)), call(nested(1_200_000)), '{"kwargs":'.repeat(500_000)]) {
      expect(await refusal(deep)).toEqual({
        status: 400,
        error: expect.stringMatching(/nested more than 900 levels deep/),
      });
    }
    expect(app.log).not.toContain('for a reason of the worker');
  });

  it('that is as deep as may be reaches the function', async () => {
    const body = call(nested(890));
    const response = await fetch(`${app.url}/execute`, { method: 'POST', body });
    expect(await response.json()).toMatchObject({ error: null, json_result: 890 - 1 });
  });

  it('that stalls is refused', async () => {
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(Number(new URL(app.url).port), '127.0.0.1', () =>
        socket.write('POST /execute HTTP/1.1\r\nhost: x\r\ncontent-length: 900\r\n\r\n{"function_name": '),
      );
      socket.once('data', (data) => {
        socket.destroy();
        resolve(String(data));
      });
    });
    expect(answer).toMatch(
      /^HTTP\/1\.1 408 .*not whole after 5000 ms, 18 bytes had come.*"code":"BODY_TIMEOUT"/s,
    );
    expect(app.log).not.toContain('for a reason of the worker');
  });
});
