import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { clientsPython } from '../../../scripts/lib/clients-python.ts';
import { pythonCode } from '../../../scripts/lib/python-code.ts';
import { until } from '../../../scripts/lib/until.ts';
import { uv } from './running-app.ts';
import { delay, isAlive, pidOf, plain, WebAppDirectory } from './web-app-directory.ts';

describe('a user’s web app that fails', () => {
  let directory: WebAppDirectory;
  beforeEach(() => {
    directory = new WebAppDirectory();
  });
  afterEach(() => directory.close());

  it.each([
    ['FLASH_MAIN_FILE', '../main.py'],
    ['FLASH_MAIN_FILE', '/etc/passwd'],
    ['FLASH_RESOURCE_NAME', '../x'],
    ['FLASH_APP_VARIABLE', 'app; import os'],
    ['FLASH_APP_WORKERS', '0'],
  ])('is not started with a wrong %s', async (name, value) => {
    directory.write(plain);
    const app = directory.start({ [name]: value });
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
    directory.write(source);
    const app = await directory.start().listening();
    while ((await app.probe()) === 204) await delay(10);
    const answer = await fetch(`${app.url}/any`, { method: 'POST', body: 'x'.repeat(5_000_000) });
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({
      success: false,
      code: 'APP',
      error: expect.stringContaining(reason),
    });
    expect(await app.probe()).toBe(503);
    directory.write(plain);
    await app.ready();
  });

  it('that is not there is told of', async () => {
    const app = await directory.start().listening();
    while ((await app.probe()) === 204) await delay(10);
    expect(await (await app.get()).text()).toContain(`there is no main.py in ${directory.path}`);
  });

  it('that can’t be loaded ends the worker when asked to', async () => {
    directory.write('raise ValueError("no model")');
    const app = directory.start({ FLASH_BOOT_FAILURE: 'exit' });
    expect(await app.exited).toBe(1);
    expect(app.log).toContain('no model');
  });

  it('that is for another Python ends the worker', async () => {
    directory.write(plain);
    const app = directory.start({ FLASH_PYTHON_VERSION: '3.1' });
    expect(await app.exited).toBe(1);
    expect(app.log).toMatch(/FLASH_PYTHON_VERSION is 3.1, but .* is Python 3/);
  });

  it('that takes too long to start is told of', async () => {
    directory.write(`import time\ntime.sleep(60)\n${plain}`);
    const app = await directory.start({ FLASH_APP_START_TIMEOUT_MS: '700' }).listening();
    while ((await app.probe()) === 204) await delay(10);
    expect(await (await app.get()).text()).toContain('FLASH_APP_START_TIMEOUT_MS');
  });

  it('that crashes ten times in a row ends the worker', async () => {
    directory.write('import os\nos._exit(9)');
    const app = directory.start({ FLASH_APP_RESTART_MIN_MS: '1', FLASH_APP_RESTART_MAX_MS: '10' });
    expect(await app.exited).toBe(1);
    expect(app.log.match(/ended with exit code 9/g)).toHaveLength(9);
    expect(app.log).toContain('crashed 10 times in a row');
  });

  it('has a missing package installed, and is told of one that is not to be had', async () => {
    const venv = join(directory.path, '.venv');
    execFileSync(uv, ['venv', '--quiet', '--python', clientsPython(), venv]);
    directory.write(`import os, six\nimport no_such_package_of_ours\n`);
    const app = await directory
      .start({
        FLASH_PYTHON: join(venv, 'bin/python'),
        FLASH_UV: uv,
      })
      .listening();
    await app.logged(/a package of the app could not be installed/, 60_000);
    while ((await app.probe()) === 204) await delay(10);
    expect(await (await app.get()).text()).toContain("No module named 'no_such_package_of_ours'");
    execFileSync(join(venv, 'bin/python'), ['-c', 'import six']);
    // uvicorn itself is one of the packages an image may lack.
    directory.write(`import six\n${plain}`);
    await app.logged(/the app is ready/, 60_000);
    expect(await app.probe('/any')).toBe(200);
  }, 120_000);

  it('leaves nothing behind: neither a child that became a daemon and holds the port, nor itself when the worker is killed', async () => {
    directory.write(
      `${plain}
import socket, time
def daemon():
    if os.path.exists("daemon"): os.remove("daemon")
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            open("daemon", "w").write(str(os.getpid()))
            time.sleep(1000)
        os._exit(0)
    while not os.path.exists("daemon") or not open("daemon").read(): time.sleep(0.01)
`.replace('if path == "/die":', 'if path == "/daemon":\n        daemon()\n    if path == "/die":'),
    );
    const app = await directory.start().ready();
    expect(await app.probe('/daemon')).toBe(200);
    const daemon = Number(readFileSync(join(directory.path, 'daemon'), 'utf8'));
    expect(isAlive(daemon)).toBe(true);
    await app.probe('/kill');
    await app.logged(/ended with SIGKILL/);
    await app.ready();
    await until(() => !isAlive(daemon));
    const pid = await pidOf(app);
    await app.probe('/daemon');
    const second = Number(readFileSync(join(directory.path, 'daemon'), 'utf8'));
    app.process.kill('SIGKILL');
    await app.exited;
    await until(() => !isAlive(pid) && !isAlive(second));
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
    directory.write(
      scribble +
        plain.replace(
          'if path == "/die":',
          'if path == "/scribble":\n        scribble()\n    if path == "/close":\n        os.closerange(3, 256)\n    if path == "/die":',
        ),
    );
    const app = await directory.start({ FLASH_APP_RESTART_MIN_MS: '10' }).ready();
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
    directory.write('import os\nraise ValueError("can not log in with " + os.environ["HF_TOKEN"])');
    const app = await directory.start({ HF_TOKEN: 'hf_nobody-may-see-this' }).listening();
    while ((await app.probe()) === 204) await delay(10);
    const text = await (await app.get('/any')).text();
    expect(text).toContain('can not log in with [redacted]');
    expect(app.log).not.toContain('hf_nobody');
  });
});
