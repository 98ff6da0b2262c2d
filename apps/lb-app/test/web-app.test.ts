import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pythonCode } from '../../../scripts/lib/python-code.ts';
import { clientsPython } from '../../../scripts/lib/clients-python.ts';
import { App, path, uv } from './running-app.ts';

const run = promisify(execFile);
const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
/** A web app without a framework: it starts in no time. */
const plain = `
import json, os, sys

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    path = scope["path"]
    if path == "/die":
        os._exit(7)
    if path == "/kill":
        os.kill(os.getpid(), 9)
    answer = {"pid": os.getpid(), "path": path}
    if path == "/env":
        answer = {"env": dict(os.environ), "cwd": os.getcwd(), "path": sys.path[:1]}
    status = 404 if path == "/ping" else 200
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(answer).encode()})
`;

describe('the user’s web app', () => {
  let directory: string;
  let apps: App[];
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'flash-test-'));
    apps = [];
  });
  afterEach(async () => {
    for (const app of apps) {
      app.process.kill('SIGKILL');
      await app.exited;
    }
    rmSync(directory, { recursive: true });
  });
  const write = (source: string, name = 'main.py'): void => writeFileSync(join(directory, name), source);
  const start = (env: NodeJS.ProcessEnv = {}): App => {
    const app = new App({
      FLASH_PYTHON: clientsPython(),
      FLASH_ENDPOINT_TYPE: 'lb',
      FLASH_APP_DIR: directory,
      ...env,
    });
    apps.push(app);
    return app;
  };
  const pidOf = async (app: App): Promise<number> =>
    ((await (await app.get()).json()) as { pid: number }).pid;
  const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);

  describe.each([
    ['shared', {}],
    ['handed over', { FLASH_SHARE_PORT: '0' }],
  ])('on a port that is %s', (kind, env) => {
    it('is reached when it is ready; until then /ping says 204, all else 503, and no connection is refused', async () => {
      write(
        `import asyncio\n${plain.replace('message = await receive()', 'message = await receive()\n            await asyncio.sleep(0.5)')}`,
      );
      const app = await start(env).listening();
      const seen: (number | string)[] = [];
      expect(await (await app.get('/any')).json()).toEqual({
        success: false,
        code: 'STARTING',
        error: 'the app is starting',
      });
      while (seen.at(-1) !== 200) seen.push(await app.probe());
      const allowed =
        kind === 'shared' ? [204, 200] : [204, 200, 'ECONNREFUSED', 'ECONNRESET', 'UND_ERR_SOCKET'];
      expect(allowed).toEqual(expect.arrayContaining([...new Set(seen)]));
      expect(seen[0]).toBe(204);
      const ping = await app.get('/ping');
      expect(await ping.json()).toEqual({ status: 'healthy', endpoint: 'lb', id: 'unknown' });
      expect(await app.probe('/execute')).toBe(200);
    });

    it('is started again when it crashes; meanwhile every route says 503', async () => {
      write(plain);
      const app = await start({ ...env, FLASH_APP_RESTART_MIN_MS: '300' }).ready();
      for (const [route, how] of [
        ['/die', 'exit code 7'],
        ['/kill', 'SIGKILL'],
      ] as const) {
        const before = await pidOf(app);
        await app.probe(route);
        await app.logged(new RegExp(`ended with ${how}`));
        await delay(50);
        expect([await app.probe('/ping'), await app.probe('/any')]).toEqual([503, 503]);
        const answer = (await (await app.get()).json()) as { error: string };
        expect(answer.error).toBe(`the app's process ended with ${how}; it is started again`);
        await app.ready();
        expect(await pidOf(app)).not.toBe(before);
      }
      expect(await app.end()).toBe(0);
    });

    it('is served by several processes, which outlive each other', async () => {
      write(plain);
      const app = await start({ ...env, FLASH_APP_WORKERS: '3', FLASH_APP_RESTART_MIN_MS: '60000' }).ready();
      const pids = new Set<number>();
      for (let waited = 0; pids.size < 3 && waited < 200; waited++) {
        pids.add(await pidOf(app));
        await delay(20);
      }
      expect(pids.size).toBe(3);
      process.kill([...pids][0] as number, 'SIGKILL');
      await app.logged(/one of the app’s processes ended/);
      await delay(100);
      for (let round = 0; round < 30; round++) expect(await app.probe('/any')).toBe(200);
    });
  });

  it('has its own /ping, if it has one', async () => {
    write(`${plain.replace('status = 404 if path == "/ping" else 200', 'status = 201')}`);
    const app = await start().listening();
    while ((await app.probe()) === 204) await delay(10);
    expect(await app.probe()).toBe(201);
  });

  it.each([
    [
      'of its own',
      pythonCode`
        @app.get("/ping")
        def ping():
            return "mine"
      `,
      '"mine"',
    ],
    ['none', '', '{"status": "healthy", "endpoint": "lb", "id": "ep-1"}'],
    [
      'none but a route for any path, which knows it not',
      pythonCode`
        @app.get("/{path:path}")
        def any(path):
            raise HTTPException(404)
      `,
      '{"status": "healthy", "endpoint": "lb", "id": "ep-1"}',
    ],
    [
      'none but a route for any path, which answers',
      pythonCode`
        @app.get("/{path:path}")
        def any(path):
            return path
      `,
      '"ping"',
    ],
  ])('made with FastAPI answers /ping: %s', async (_, route, body) => {
    write(`from fastapi import FastAPI, HTTPException\napp = FastAPI()\n${route}\n`);
    const app = await start({ RUNPOD_ENDPOINT_ID: 'ep-1', FLASH_DISABLE_UNPACK: '1' }).ready();
    expect(await (await app.get('/ping')).text()).toBe(body);
    // Where there is a route of the app's it decides on HEAD too.
    expect((await fetch(`${app.url}/ping`, { method: 'HEAD' })).ok).toBe(route === '');
  });

  it('sees its directory first on the path, the user’s key, and nothing of the worker’s own', async () => {
    write(plain.replace('import json', 'import sibling, json'));
    write('x = 1', 'sibling.py');
    const app = await start({
      RUNPOD_AI_API_KEY: 'the-workers-own',
      RUNPOD_WEBHOOK_PING: 'https://x/$RUNPOD_POD_ID',
      RUNPOD_API_KEY: 'the-users',
      PATH: '/usr/bin:/bin',
    }).ready();
    const seen = (await (await app.get('/env')).json()) as {
      env: NodeJS.ProcessEnv;
      cwd: string;
      path: string[];
    };
    expect([seen.env.RUNPOD_API_KEY, seen.env.RUNPOD_AI_API_KEY, seen.env.RUNPOD_WEBHOOK_PING]).toEqual([
      'the-users',
      undefined,
      undefined,
    ]);
    expect([seen.cwd, seen.path]).toEqual([directory, [directory]]);
    // Commands of its packages, and its Python, come before all others.
    expect(seen.env.PATH).toBe(`${dirname(clientsPython())}:/usr/bin:/bin`);
  });

  it('may lie in another file under another name', async () => {
    write(plain.replace('def app(', 'def api('), 'web.py');
    const app = await start({ FLASH_MAIN_FILE: 'web.py', FLASH_APP_VARIABLE: 'api' }).ready();
    expect(await app.probe('/any')).toBe(200);
  });

  it('is the generated handler’s where the resource has one', async () => {
    write(plain, 'handler_api.py');
    const app = await start({ FLASH_RESOURCE_NAME: 'api' }).ready();
    expect(await app.probe('/any')).toBe(200);
  });

  it.each([
    ['FLASH_MAIN_FILE', '../main.py'],
    ['FLASH_MAIN_FILE', '/etc/passwd'],
    ['FLASH_RESOURCE_NAME', '../x'],
    ['FLASH_APP_VARIABLE', 'app; import os'],
    ['FLASH_APP_WORKERS', '0'],
  ])('is not started with a wrong %s', async (name, value) => {
    write(plain);
    const app = start({ [name]: value });
    expect(await app.exited).toBe(1);
    expect(app.log).toContain(name);
  });

  it.each([
    ['does not compile', 'def app(:', 'SyntaxError'],
    ['raises while it is loaded', 'raise ValueError("no model")', 'no model\n'],
    ['exits while it is loaded', 'import sys; sys.exit(3)', 'the code called sys.exit(3)'],
    ['has no app', 'x = 1', "main.py defines no 'app': name the app in FLASH_APP_VARIABLE"],
    ['has an app that is none', 'app = 1', "'app' in main.py is no ASGI app but a int"],
    [
      'fails to start',
      pythonCode`
        from fastapi import FastAPI
        def fail(): raise ValueError("no database")
        app = FastAPI(on_startup=[fail])
      `,
      'no database',
    ],
  ])('that %s is told of on every route, and served once it is mended', async (_, source, reason) => {
    write(source);
    const app = await start().listening();
    while ((await app.probe()) === 204) await delay(10);
    const answer = await fetch(`${app.url}/any`, { method: 'POST', body: 'x'.repeat(5_000_000) });
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({
      success: false,
      code: 'APP',
      error: expect.stringContaining(reason),
    });
    expect(await app.probe()).toBe(503);
    write(plain);
    await app.ready();
  });

  it('that is not there is told of', async () => {
    const app = await start().listening();
    while ((await app.probe()) === 204) await delay(10);
    expect(await (await app.get()).text()).toContain(`there is no main.py in ${directory}`);
  });

  it('that can’t be loaded ends the worker when asked to', async () => {
    write('raise ValueError("no model")');
    const app = start({ FLASH_BOOT_FAILURE: 'exit' });
    expect(await app.exited).toBe(1);
    expect(app.log).toContain('no model');
  });

  it('that is for another Python ends the worker', async () => {
    write(plain);
    const app = start({ FLASH_PYTHON_VERSION: '3.1' });
    expect(await app.exited).toBe(1);
    expect(app.log).toMatch(/FLASH_PYTHON_VERSION is 3.1, but .* is Python 3/);
  });

  it('that takes too long to start is told of', async () => {
    write(`import time\ntime.sleep(60)\n${plain}`);
    const app = await start({ FLASH_APP_START_TIMEOUT_MS: '700' }).listening();
    while ((await app.probe()) === 204) await delay(10);
    expect(await (await app.get()).text()).toContain('FLASH_APP_START_TIMEOUT_MS');
  });

  it('that crashes ten times in a row ends the worker', async () => {
    write('import os\nos._exit(9)');
    const app = start({ FLASH_APP_RESTART_MIN_MS: '1', FLASH_APP_RESTART_MAX_MS: '10' });
    expect(await app.exited).toBe(1);
    expect(app.log.match(/ended with exit code 9/g)).toHaveLength(9);
    expect(app.log).toContain('crashed 10 times in a row');
  });

  it('has a missing package installed, and is told of one that is not to be had', async () => {
    const venv = join(directory, '.venv');
    execFileSync(uv, ['venv', '--quiet', '--python', clientsPython(), venv]);
    write(`import os, six\nimport no_such_package_of_ours\n`);
    const app = await start({
      FLASH_PYTHON: join(venv, 'bin/python'),
      FLASH_UV: uv,
    }).listening();
    await app.logged(/a package of the app could not be installed/, 60_000);
    while ((await app.probe()) === 204) await delay(10);
    expect(await (await app.get()).text()).toContain("No module named 'no_such_package_of_ours'");
    execFileSync(join(venv, 'bin/python'), ['-c', 'import six']);
    // uvicorn itself is one of the packages an image may lack.
    write(`import six\n${plain}`);
    await app.logged(/the app is ready/, 60_000);
    expect(await app.probe('/any')).toBe(200);
  }, 120_000);

  it('leaves nothing behind: neither a child that became a daemon and holds the port, nor itself when the worker is killed', async () => {
    write(
      `${plain}
import socket, time
def daemon():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            open("daemon", "w").write(str(os.getpid()))
            time.sleep(1000)
        os._exit(0)
    time.sleep(0.3)
`.replace('if path == "/die":', 'if path == "/daemon":\n        daemon()\n    if path == "/die":'),
    );
    const app = await start().ready();
    expect(await app.probe('/daemon')).toBe(200);
    const daemon = Number(readFileSync(join(directory, 'daemon'), 'utf8'));
    expect(isAlive(daemon)).toBe(true);
    await app.probe('/kill');
    await app.logged(/ended with SIGKILL/);
    await app.ready();
    expect(isAlive(daemon)).toBe(false);
    const pid = await pidOf(app);
    await app.probe('/daemon');
    const second = Number(readFileSync(join(directory, 'daemon'), 'utf8'));
    app.process.kill('SIGKILL');
    await app.exited;
    for (let waited = 0; waited < 200 && (isAlive(pid) || isAlive(second)); waited++) await delay(10);
    expect([isAlive(pid), isAlive(second)]).toEqual([false, false]);
  });

  it('can’t harm the worker over a connection that is not its own, nor by closing descriptors', async () => {
    const scribble = `
import os
def scribble():
    for name in os.listdir("/proc/self/fd"):
        try:
            if int(name) > 2 and "socket" in os.readlink(f"/proc/self/fd/{name}"):
                os.write(int(name), b"garbage\\n" * 1000)
        except OSError: pass
`;
    write(
      scribble +
        plain.replace(
          'if path == "/die":',
          'if path == "/scribble":\n        scribble()\n    if path == "/close":\n        os.closerange(3, 256)\n    if path == "/die":',
        ),
    );
    const app = await start({ FLASH_APP_RESTART_MIN_MS: '10' }).ready();
    const before = await pidOf(app);
    await app.probe('/scribble');
    await app.logged(/wrote to the worker’s own connection/);
    await app.ready();
    expect(await pidOf(app)).not.toBe(before);
    void app.probe('/close');
    await delay(500);
    expect(app.process.exitCode).toBeNull();
    app.process.kill('SIGTERM');
    expect(await app.exited).toBe(0);
  });

  it('does not tell clients a secret that its failure names', async () => {
    write('import os\nraise ValueError("can not log in with " + os.environ["HF_TOKEN"])');
    const app = await start({ HF_TOKEN: 'hf_nobody-may-see-this' }).listening();
    while ((await app.probe()) === 204) await delay(10);
    const text = await (await app.get('/any')).text();
    expect(text).toContain('can not log in with [redacted]');
    expect(app.log).not.toContain('hf_nobody');
  });

  it('that is still being loaded does not hold up the worker’s end', async () => {
    write(`from contextlib import asynccontextmanager
import asyncio
from fastapi import FastAPI
@asynccontextmanager
async def life(app):
    print("loading the model")
    await asyncio.sleep(1000)
    yield
app = FastAPI(lifespan=life)
`);
    const app = start({ FLASH_APP_KILL_MS: '300' });
    await app.logged(/loading the model/);
    const startedAt = performance.now();
    expect(await app.end()).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });

  it('finishes what is in flight when the worker ends, and runs its own shutdown', async () => {
    write(`
import asyncio
from contextlib import asynccontextmanager
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
@asynccontextmanager
async def life(app):
    yield
    open("shutdown", "w").write("done")
app = FastAPI(lifespan=life)
async def numbers():
    for n in range(10):
        yield f"{n}\\n"
        await asyncio.sleep(0.1)
@app.get("/numbers")
def stream():
    return StreamingResponse(numbers())
`);
    const app = await start().ready();
    const response = await app.get('/numbers');
    const ended = app.end();
    await delay(200);
    expect(await app.probe('/numbers')).toBe('ECONNREFUSED');
    expect(await response.text()).toBe('0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n');
    expect(await ended).toBe(0);
    expect(readFileSync(join(directory, 'shutdown'), 'utf8')).toBe('done');
  });

  it('that does not end in its time is killed', async () => {
    write(
      plain.replace(
        'if message["type"] == "lifespan.shutdown":',
        'if message["type"] == "lifespan.shutdown":\n                import time; time.sleep(1000)',
      ),
    );
    const app = await start({ FLASH_DRAIN_MS: '100', FLASH_APP_KILL_MS: '500' }).ready();
    const pid = await pidOf(app);
    expect(await app.end()).toBe(0);
    expect(isAlive(pid)).toBe(false);
  });

  it('logs through the worker, in the platform’s format there', async () => {
    write(`import logging\nprint("said while loaded")\n${plain}`);
    const app = await start({ RUNPOD_ENDPOINT_ID: 'ep-1', FLASH_DISABLE_UNPACK: '1' }).ready();
    const lines = app.log
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { message: string; requestId: null });
    expect(lines).toContainEqual({
      requestId: null,
      message: expect.stringContaining('said while loaded'),
      level: 'INFO',
    });
  });

  describe('behind lb-app and behind plain uvicorn', () => {
    it('answers byte for byte the same', async () => {
      const app = await start({
        FLASH_APP_DIR: path('./web-clients'),
        FLASH_MAIN_FILE: 'everything.py',
      }).ready();
      const { stdout } = await run(clientsPython(), [
        path('./web-clients/differential.py'),
        new URL(app.url).port,
      ]);
      const report = JSON.parse(stdout) as { requests: number; differences: unknown[] };
      expect(report.differences).toEqual([]);
      expect(report.requests).toBeGreaterThanOrEqual(60);
    });
  });

  it('streams events to many and talks over WebSockets', async () => {
    const app = await start({
      FLASH_APP_DIR: path('./web-clients'),
      FLASH_MAIN_FILE: 'everything.py',
    }).ready();
    const { stdout } = await run(clientsPython(), [
      path('./web-clients/streams.py'),
      new URL(app.url).port,
      '200',
      '20',
      '2',
    ]);
    expect(JSON.parse(stdout)).toEqual({ events: 200 * 20, echoes: expect.any(Number), failures: [] });
  });
});
