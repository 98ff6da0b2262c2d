import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { nodeFlags } from '../scripts/lib/node-flags.mjs';
import { root } from '../scripts/lib/run.mjs';

/** What earlier workers learned on this machine is no part of a figure. */
export const freshCache = mkdtempSync(join(tmpdir(), 'flash-bench-'));
process.once('exit', () => rmSync(freshCache, { recursive: true, force: true }));

/** Starts lb-app on a free port. */
export function startWorker(env = {}) {
  const child = spawn(
    process.execPath,
    [...nodeFlags, process.env.FLASH_BENCH_APP ?? join(root, 'bundle/lb-app/main.js')],
    {
      env: {
        ...process.env,
        HOST: '127.0.0.1',
        PORT: '0',
        LOG_LEVEL: 'INFO',
        FLASH_PYTHON: join(root, '.venv/bin/python'),
        FLASH_CACHE_DIR: freshCache,
        ...env,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  return ready(child, () => child.stderr, /"port":(\d+)/);
}

/** Starts the comparator: the original's request path on FastAPI and uvicorn. */
export function startComparator() {
  const python = join(root, '.venv-bench/bin/python');
  const child = spawn(
    python,
    ['-m', 'uvicorn', '--app-dir', join(root, 'bench'), 'comparator_lb:app', '--port', '0'],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  return ready(child, () => child.stderr, /http:\/\/127\.0\.0\.1:(\d+)/);
}

async function ready(child, stream, port) {
  let isAsked = false;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.once('exit', (code, signal) => {
    if (!isAsked) console.error(`a server ended by itself (${code ?? signal}):\n${log}`);
  });
  let log = '';
  stream()
    .setEncoding('utf8')
    .on('data', (text) => {
      log = (log + text).slice(-10_000);
    });
  let url;
  for (let waited = 0; url === undefined; waited += 10) {
    const found = port.exec(log)?.[1];
    if (found) url = `http://127.0.0.1:${found}`;
    else if (child.exitCode !== null || waited > 20_000) throw new Error(`the server did not start:\n${log}`);
    await delay(10);
  }
  while ((await fetch(`${url}/ping`).catch(() => ({ status: 0 }))).status !== 200) await delay(10);
  return {
    url,
    pid: child.pid,
    close: async () => {
      isAsked = true;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
      await ended;
      clearTimeout(timer);
    },
  };
}
