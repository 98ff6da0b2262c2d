import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { Gate } from '../../../scripts/lib/gate.ts';
import { pythonCode } from '../../../scripts/lib/python-code.ts';
import { until } from '../../../scripts/lib/until.ts';
import { App } from './running-app.ts';

let app: App;
const directory = mkdtempSync(join(tmpdir(), 'flash-live-log-'));

afterEach(() => app.end());
afterAll(() => rmSync(directory, { recursive: true }));

interface ServerSentEvent {
  readonly event: string;
  readonly data: Record<string, unknown>;
}

const call = (code: string, more: object = {}): object => ({
  function_name: 'f',
  function_code: code,
  serialization_format: 'json',
  ...more,
});
const events = { accept: 'text/event-stream' };

function parse(text: string): readonly ServerSentEvent[] {
  return text
    .split('\n\n')
    .filter((block) => block.startsWith('event: '))
    .map((block) => {
      const [event, data] = block.split('\n');
      return {
        event: event?.slice(7) ?? '',
        data: JSON.parse(data?.slice(6) ?? '') as ServerSentEvent['data'],
      };
    });
}

describe('a live log', () => {
  it('shows what is printed while the function runs, then the response', async () => {
    app = await new App().ready();
    const gate = new Gate();
    const code = pythonCode`
      def f():
          print("one", flush=True)
          ${gate.wait}
          print("two")
          return [1]
    `;
    const response = await app.post(call(code), { headers: events });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    let text = '';
    for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(piece).toString();
      // The function ends only when its first line was seen.
      if (text.includes('one')) gate.open();
    }
    const all = parse(text);
    expect(all.map(({ event }) => event)).toEqual(['log', 'log', 'response']);
    expect(all[0]?.data).toEqual({ kind: 'output', text: 'one\n' });
    expect(all[2]?.data).toMatchObject({ success: true, json_result: [1], stdout: 'one\ntwo\n' });
  });

  it('shows installs as they go; what fails in user code is a response too', async () => {
    app = await new App().ready();
    const failing = call('def f(): raise ValueError("no")', {
      dependencies: ['a-package-that-nobody-has==1'],
    });
    const all = parse(await (await app.post(failing, { headers: events })).text());
    expect(all[0]).toMatchObject({ event: 'log', data: { kind: 'system' } });
    expect(all.at(-1)).toMatchObject({ event: 'response', data: { success: false } });
  });

  it('is refused with a status, as any request is, when it can’t be taken', async () => {
    app = await new App().ready();
    const response = await app.post('{"function_name":"f"}', { headers: events });
    expect([response.status, response.headers.get('content-type')]).toEqual([422, 'application/json']);
    expect(await response.json()).toMatchObject({ success: false, code: 'INVALID_REQUEST' });
  });

  it('gives signs of life, and ends the function when its client goes', async () => {
    app = await new App({ FLASH_LIVE_KEEP_ALIVE_MS: '50' }).ready();
    const gone = new AbortController();
    const code = 'import time\ndef f():\n while True: time.sleep(0.01)';
    const response = await app.post(call(code), { headers: events, signal: gone.signal });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toMatch(/^:\n\n/);
    gone.abort();
    await until(async () =>
      (await (await app.get('/metrics')).text()).includes('flash_requests_in_progress 0'),
    );
  });

  it('leaves out what a slow client does not take, and user code is not held up by it', async () => {
    app = await new App({ FLASH_LIVE_LOG_BYTES: '1000', FLASH_MAX_LOGGED_OUTPUT_BYTES: '100000000' }).ready();
    const ended = join(directory, 'ended');
    const code = pythonCode`
      def f():
          for i in range(200): print("x" * 100_000)
          print("end")
          open(${JSON.stringify(ended)}, "x").close()
    `;
    let hasEnded = false;
    const text = await new Promise<string>((resolve, reject) => {
      const outgoing = request(`${app.url}/execute`, { method: 'POST', headers: events }, (response) => {
        let got = '';
        response.setEncoding('utf8').on('data', (piece: string) => {
          got += piece;
        });
        response.once('end', () => resolve(got));
        response.pause();
        void (async () => {
          await until(() => existsSync(ended)).catch(() => {});
          hasEnded = existsSync(ended);
          response.resume();
        })();
      });
      outgoing.once('error', reject);
      outgoing.end(JSON.stringify(call(code)));
    });
    const all = parse(text);
    expect(/\[\d+ bytes of log were left out: .*FLASH_LIVE_LOG_BYTES/.test(text)).toBe(true);
    expect(all.at(-1)).toMatchObject({ event: 'response', data: { success: true } });
    expect(hasEnded).toBe(true);
    expect(JSON.stringify(all.at(-1)?.data.stdout)).toContain('end');
  });
});
