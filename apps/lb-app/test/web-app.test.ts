import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { clientsPython } from '../../../scripts/lib/clients-python.ts';
import { Gate } from '../../../scripts/lib/gate.ts';
import { pythonCode } from '../../../scripts/lib/python-code.ts';
import { until } from '../../../scripts/lib/until.ts';
import { path } from './running-app.ts';
import { delay, isAlive, pidOf, plain, WebAppDirectory } from './web-app-directory.ts';

const run = promisify(execFile);

describe('the user’s web app', () => {
  let directory: WebAppDirectory;
  beforeEach(() => {
    directory = new WebAppDirectory();
  });
  afterEach(() => directory.close());

  describe.each([
    ['shared', {}],
    ['handed over', { FLASH_SHARE_PORT: '0' }],
  ])('on a port that is %s', (kind, env) => {
    it('is reached when it is ready; until then /ping says 204, all else 503, and no connection is refused', async () => {
      directory.write(
        `import asyncio\n${plain.replace('message = await receive()', 'message = await receive()\n            await asyncio.sleep(1.5)')}`,
      );
      const app = await directory.start(env).listening();
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
      directory.write(plain);
      const app = await directory.start({ ...env, FLASH_APP_RESTART_MIN_MS: '3000' }).ready();
      for (const [route, how] of [
        ['/die', 'exit code 7'],
        ['/kill', 'SIGKILL'],
      ] as const) {
        const before = await pidOf(app);
        await app.probe(route);
        await app.logged(new RegExp(`ended with ${how}`));
        await until(async () => (await app.probe('/ping')) === 503);
        expect([await app.probe('/ping'), await app.probe('/any')]).toEqual([503, 503]);
        const answer = (await (await app.get()).json()) as { error: string };
        expect(answer.error).toBe(`the app's process ended with ${how}; it is started again`);
        await app.ready();
        expect(await pidOf(app)).not.toBe(before);
      }
      expect(await app.end()).toBe(0);
    });

    it('is served by several processes, which outlive each other', async () => {
      directory.write(plain);
      const app = await directory
        .start({ ...env, FLASH_APP_WORKERS: '3', FLASH_APP_RESTART_MIN_MS: '60000' })
        .ready();
      const pids = new Set<number>();
      await until(async () => pids.add(await pidOf(app)).size === 3);
      process.kill([...pids][0] as number, 'SIGKILL');
      await app.logged(/one of the app’s processes ended/);
      await delay(100);
      for (let round = 0; round < 30; round++) expect(await app.probe('/any')).toBe(200);
    });
  });

  it('has its own /ping, if it has one', async () => {
    directory.write(`${plain.replace('status = 404 if path == "/ping" else 200', 'status = 201')}`);
    const app = await directory.start().listening();
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
    directory.write(`from fastapi import FastAPI, HTTPException\napp = FastAPI()\n${route}\n`);
    const app = await directory.start({ RUNPOD_ENDPOINT_ID: 'ep-1', FLASH_DISABLE_UNPACK: '1' }).ready();
    expect(await (await app.get('/ping')).text()).toBe(body);
    // Where there is a route of the app's it decides on HEAD too.
    expect((await fetch(`${app.url}/ping`, { method: 'HEAD' })).ok).toBe(route === '');
  });

  it('sees its directory first on the path, the user’s key, and nothing of the worker’s own', async () => {
    directory.write(plain.replace('import json', 'import sibling, json'));
    directory.write('x = 1', 'sibling.py');
    const app = await directory
      .start({
        RUNPOD_AI_API_KEY: 'the-workers-own',
        RUNPOD_WEBHOOK_PING: 'https://x/$RUNPOD_POD_ID',
        RUNPOD_API_KEY: 'the-users',
        PATH: '/usr/bin:/bin',
      })
      .ready();
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
    expect([seen.cwd, seen.path]).toEqual([directory.path, [directory.path]]);
    // Commands of its packages, and its Python, come before all others.
    expect(seen.env.PATH).toBe(`${dirname(clientsPython())}:/usr/bin:/bin`);
  });

  it('may lie in another file under another name', async () => {
    directory.write(plain.replace('def app(', 'def api('), 'web.py');
    const app = await directory.start({ FLASH_MAIN_FILE: 'web.py', FLASH_APP_VARIABLE: 'api' }).ready();
    expect(await app.probe('/any')).toBe(200);
  });

  it('is the generated handler’s where the resource has one', async () => {
    directory.write(plain, 'handler_api.py');
    const app = await directory.start({ FLASH_RESOURCE_NAME: 'api' }).ready();
    expect(await app.probe('/any')).toBe(200);
  });

  it('that is still being loaded does not hold up the worker’s end', async () => {
    directory.write(`from contextlib import asynccontextmanager
import asyncio
from fastapi import FastAPI
@asynccontextmanager
async def life(app):
    print("loading the model")
    await asyncio.sleep(1000)
    yield
app = FastAPI(lifespan=life)
`);
    const app = directory.start({ FLASH_APP_KILL_MS: '300' });
    await app.logged(/loading the model/);
    expect(await app.end()).toBe(0);
  });

  it('finishes what is in flight when the worker ends, and runs its own shutdown', async () => {
    const gate = new Gate();
    directory.write(`
import asyncio, os
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
        while n == 4 and os.path.exists(${JSON.stringify(gate.path)}):
            await asyncio.sleep(0.01)
@app.get("/numbers")
def stream():
    return StreamingResponse(numbers())
`);
    const app = await directory.start().ready();
    const response = await app.get('/numbers');
    const ended = app.end();
    await until(async () => (await app.probe('/no-such-path')) === 'ECONNREFUSED');
    gate.open();
    expect(await response.text()).toBe('0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n');
    expect(await ended).toBe(0);
    expect(readFileSync(join(directory.path, 'shutdown'), 'utf8')).toBe('done');
  });

  it('that does not end in its time is killed', async () => {
    directory.write(
      plain.replace(
        'if message["type"] == "lifespan.shutdown":',
        'if message["type"] == "lifespan.shutdown":\n                import time; time.sleep(1000)',
      ),
    );
    const app = await directory.start({ FLASH_DRAIN_MS: '100', FLASH_APP_KILL_MS: '500' }).ready();
    const pid = await pidOf(app);
    expect(await app.end()).toBe(0);
    await until(() => !isAlive(pid));
  });

  it('logs through the worker, in the platform’s format there', async () => {
    directory.write(`import logging\nprint("said while loaded")\n${plain}`);
    const app = await directory.start({ RUNPOD_ENDPOINT_ID: 'ep-1', FLASH_DISABLE_UNPACK: '1' }).ready();
    await app.logged(/said while loaded/);
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
      const app = await directory
        .start({
          FLASH_APP_DIR: path('./web-clients'),
          FLASH_MAIN_FILE: 'everything.py',
        })
        .ready();
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
    const app = await directory
      .start({
        FLASH_APP_DIR: path('./web-clients'),
        FLASH_MAIN_FILE: 'everything.py',
      })
      .ready();
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
