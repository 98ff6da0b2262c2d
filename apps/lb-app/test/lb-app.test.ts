import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { clientsPython } from '../../../scripts/lib/clients-python.ts';
import { Gate } from '../../../scripts/lib/gate.ts';
import { pythonCode } from '../../../scripts/lib/python-code.ts';
import { until } from '../../../scripts/lib/until.ts';
import { App, path, python } from './running-app.ts';

const add = {
  function_name: 'add',
  function_code: 'def add(a, b): return a + b',
  args: [2, 3],
  serialization_format: 'json',
};
/** A function that ends when the gate is opened. */
const held = (gate: Gate) => ({
  function_name: 'f',
  function_code: `def f():\n    ${gate.wait}\n    return 1`,
  serialization_format: 'json',
});

/** Whether a process computes; one that is gone does not. */
function isComputing(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') R ');
  } catch {
    return false;
  }
}

describe('lb-app', () => {
  let app: App;
  beforeAll(async () => {
    app = await new App({
      FLASH_MAX_BODY_BYTES: '20000000',
      RUNPOD_AI_API_KEY: 'the-workers-own-secret',
      RUNPOD_WEBHOOK_PING: 'https://x/',
      RUNPOD_API_KEY: 'the-users-own-key',
      PATH: '/usr/bin:/bin',
    }).ready();
  });
  afterAll(() => app.end());

  it('answers /ping, and /execute with a request as it is or inside "input"', async () => {
    expect(await (await fetch(`${app.url}/ping`)).json()).toEqual({ status: 'healthy' });
    const response = {
      success: true,
      result: null,
      json_result: 5,
      error: null,
      stdout: null,
      instance_id: null,
      instance_info: null,
    };
    expect(await app.json(add)).toEqual(response);
    expect(await app.json({ input: add })).toEqual(response);
  });

  it('answers 200 also when the function failed', async () => {
    const answer = await app.post({ ...add, args: [1, 'x'] });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      success: false,
      error: expect.stringContaining('TypeError'),
    });
  });

  it.each([
    ['no JSON', '{', 400, 'INVALID_REQUEST'],
    ['no object', '[1]', 400, 'INVALID_REQUEST'],
    ['an empty body', '', 400, 'INVALID_REQUEST'],
    ['no function name', '{}', 422, 'INVALID_REQUEST'],
    ['a function without code', '{"function_name":"f"}', 422, 'INVALID_REQUEST'],
  ])('refuses %s with a JSON error', async (_, body, status, code) => {
    const answer = await app.post(body);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toEqual({ success: false, code, error: expect.stringMatching(/\w/) });
  });

  it('refuses a body that is too large, announced or not', async () => {
    const large = 'x'.repeat(20_000_001);
    // Again and again: the answer must never be lost to a connection that was closed too early.
    for (let round = 0; round < 10; round++) expect((await app.post(large)).status).toBe(413);
    const chunks = new ReadableStream({
      start(controller) {
        for (let index = 0; index < 25; index++) controller.enqueue(new Uint8Array(1_000_000).fill(32));
        controller.close();
      },
    });
    const answer = await fetch(`${app.url}/execute`, {
      method: 'POST',
      body: chunks,
      duplex: 'half',
    } as RequestInit);
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({ code: 'BODY_TOO_LARGE' });
    expect(await app.json(add)).toMatchObject({ json_result: 5 });
  });

  it('answers 404 and 405 in JSON', async () => {
    const [missing, wrong] = await Promise.all([fetch(`${app.url}/nope`), fetch(`${app.url}/execute`)]);
    expect([missing.status, wrong.status, wrong.headers.get('allow')]).toEqual([404, 405, 'POST']);
    expect(await missing.json()).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('answers /ping while user code blocks', async () => {
    const gate = new Gate({ isBusy: true });
    const busy = Promise.all(Array.from({ length: 4 }, () => app.json(held(gate))));
    await gate.come(4);
    for (let index = 0; index < 5; index++) expect((await fetch(`${app.url}/ping`)).status).toBe(200);
    gate.open();
    expect(await busy).toMatchObject(Array(4).fill({ json_result: 1 }));
  });

  it('ends what a client has left', async () => {
    const looping = pythonCode`
      import os
      def f():
          print("looping in", os.getpid(), flush=True)
          while True: pass
    `;
    const leaving = new AbortController();
    const request = { ...add, function_name: 'f', function_code: looping, args: [] };
    const left = app.post(request, { signal: leaving.signal });
    await app.logged(/looping in \d+/);
    const pid = Number(/looping in (\d+)/.exec(app.log)?.[1]);
    await until(() => isComputing(pid));
    leaving.abort();
    await expect(left).rejects.toThrow();
    await until(() => !isComputing(pid));
  });

  it('keeps the worker’s own secrets from user code, and hands over the user’s', async () => {
    const code =
      'import os\ndef f(): return [os.environ.get(k) for k in ("RUNPOD_AI_API_KEY", "RUNPOD_WEBHOOK_PING", "RUNPOD_API_KEY")]';
    expect(
      (await app.json({ ...add, function_name: 'f', function_code: code, args: [] })).json_result,
    ).toEqual([null, null, 'the-users-own-key']);
  });

  it('lets user code find its Python and the commands beside it, also in a Python that was started ahead', async () => {
    const code = `
def f():
    import shutil, subprocess, sys
    found = [shutil.which(name) for name in ("python", "python3", "uv")]
    return found + [subprocess.run(["python", "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True).stdout == sys.prefix + "\\n"]
`;
    const { json_result } = await app.json({ ...add, function_name: 'f', function_code: code, args: [] });
    const bin = dirname(python);
    expect(json_result).toEqual([`${bin}/python`, `${bin}/python3`, `${bin}/uv`, true]);
  });

  it('keeps secrets out of its log', async () => {
    const code = 'import os\ndef f(): print("key:", os.environ["RUNPOD_API_KEY"])';
    await app.json({ ...add, function_name: 'f', function_code: code, args: [] });
    await app.logged(/key: \[redacted\]/);
    expect(app.log).not.toContain('the-users-own-key');
  });

  it('survives nonsense on its port', async () => {
    const { port } = new URL(app.url);
    await new Promise((resolve) =>
      connect(Number(port), '127.0.0.1', function (this: { write: (text: string) => void }) {
        this.write('\u0000\u0001garbage\r\n\r\n');
      })
        .on('close', resolve)
        .on('error', resolve)
        .resume(),
    );
    expect(await app.json(add)).toMatchObject({ json_result: 5 });
  });

  it('serves the load-balancer stub of runpod_flash', async () => {
    const clients = clientsPython();
    const env = { ...process.env, LB_URL: app.url, RUNPOD_API_KEY: 'local' };
    const { stdout } = await promisify(execFile)(
      clients,
      ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', path('./clients')],
      { env },
    ).catch((error: { stdout: string }) => {
      throw new Error(error.stdout);
    });
    expect(stdout).toMatch(/\d+ passed/);
  });
});

describe('lb-app from start to end', () => {
  it('answers 204 while it starts, then 200', async () => {
    // A Python that is not there before it is told to.
    const directory = mkdtempSync(join(tmpdir(), 'flash-slow-'));
    const [slowPython, mayStart] = [join(directory, 'python'), join(directory, 'may-start')];
    const script = `#!/bin/sh\nuntil [ -e ${mayStart} ]; do sleep 0.05; done\nexec ${python} "$@"\n`;
    writeFileSync(slowPython, script, { mode: 0o755 });
    const app = await new App({ FLASH_PYTHON: slowPython }).listening();
    const statuses = new Set([await app.probe()]);
    writeFileSync(mayStart, '');
    await app.ready((status) => statuses.add(status));
    expect([...statuses]).toEqual([204, 200]);
    expect(await app.end()).toBe(0);
    rmSync(directory, { recursive: true });
  });

  it('finishes what is in flight on SIGTERM, takes nothing new, and exits 0', async () => {
    const app = await new App().ready();
    const gate = new Gate();
    const inFlight = app.json(held(gate));
    await gate.come();
    app.process.kill('SIGTERM');
    await until(async () => typeof (await app.probe()) === 'string');
    await expect(app.post(add)).rejects.toThrow();
    gate.open();
    expect(await inFlight).toMatchObject({ json_result: 1 });
    expect(await app.exited).toBe(0);
  });

  it.each([
    [{ FLASH_MAX_RUNNERS: 'many' }, 'FLASH_MAX_RUNNERS'],
    [{ PORT: '99999' }, 'PORT'],
    [{ FLASH_PYTHON: '/no/such/python' }, 'FLASH_PYTHON is /no/such/python'],
    [{ FLASH_PYTHON_VERSION: '2.7' }, 'FLASH_PYTHON_VERSION is 2.7'],
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL'],
  ])('does not start with %j, says why, and exits 1', async (env, reason) => {
    const app = new App(env);
    expect(await app.exited).toBe(1);
    expect(app.log).toContain(reason);
    expect(app.log).not.toContain('    at ');
  });

  it('refuses with 503 and Retry-After when it has no more room', async () => {
    const app = await new App({ FLASH_MAX_RUNNERS: '1', FLASH_MAX_WAITING: '1' }).ready();
    await app.json(add);
    const gate = new Gate();
    const answers = [1, 2, 3].map(() => app.post(held(gate)));
    // Only the one that has no room is answered while the others wait.
    const refused = await Promise.race(answers);
    gate.open();
    await Promise.all(answers);
    expect(refused.status).toBe(503);
    expect(refused?.headers.get('retry-after')).toBe('1');
    expect(await refused?.json()).toMatchObject({
      code: 'WORKER_BUSY',
      error: expect.stringContaining('FLASH_MAX_WAITING'),
    });
    await app.end();
  });
});

describe('lb-app on the platform', () => {
  it('logs as the platform reads it, and serves', async () => {
    const app = await new App({ RUNPOD_ENDPOINT_ID: 'ep' }).ready();
    const answer = await fetch(`${app.url}/execute`, { method: 'POST', body: JSON.stringify(add) });
    expect(await answer.json()).toMatchObject({ success: true, json_result: 5 });
    app.process.kill('SIGTERM');
    expect(await app.exited).toBe(0);
    const lines = app.log.trim().split('\n');
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines)
      expect(Object.keys(JSON.parse(line)).sort()).toEqual(['level', 'message', 'requestId']);
  });

  it('answers every route with why its app can’t be served, or ends, as it was set', async () => {
    const env = {
      RUNPOD_ENDPOINT_ID: 'ep',
      FLASH_ENDPOINT_TYPE: 'lb',
      FLASH_BUILD_ARTIFACT_PATH: '/no/artifact',
      FLASH_UNPACK_ATTEMPTS: '2',
      FLASH_UNPACK_INTERVAL_MS: '4000',
    };
    const app = await new App(env).listening();
    expect((await fetch(`${app.url}/ping`)).status).toBe(204);
    await until(async () => (await app.probe()) !== 204);
    for (const route of ['/ping', '/execute', '/users/7']) {
      const answer = await fetch(app.url + route, { method: route === '/execute' ? 'POST' : 'GET' });
      expect([answer.status, await answer.json()]).toEqual([
        503,
        expect.objectContaining({ code: 'APP', error: expect.stringContaining('/no/artifact') }),
      ]);
    }
    app.process.kill('SIGTERM');
    expect(await app.exited).toBe(0);
    expect(await new App({ ...env, FLASH_UNPACK_INTERVAL_MS: '1', FLASH_BOOT_FAILURE: 'exit' }).exited).toBe(
      1,
    );
  });
});
