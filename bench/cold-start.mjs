/**
 * Cold starts: from exec to the first 200 on /ping, to the first answered /execute, and to the first job-take of a queue; `node -e 0` is the
 * floor.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../scripts/lib/free-port.mjs';
import { nodeFlags } from '../scripts/lib/node-flags.mjs';
import { root } from '../scripts/lib/run.mjs';
import { freshCache } from './servers.mjs';

const pollMs = 3;
const mostMs = 60_000;
const add = JSON.stringify({
  function_name: 'add',
  function_code: 'def add(a, b):\n    return a + b',
  args: ['gAVLAi4=', 'gAVLAy4='],
});
const benchPython = join(root, '.venv-bench/bin/python');
const env = {
  ...process.env,
  HOST: '127.0.0.1',
  FLASH_PYTHON: join(root, '.venv/bin/python'),
  FLASH_CACHE_DIR: freshCache,
};

/** Starts a command; it is ended with all its children. */
function start(command, args, more = {}) {
  const child = spawn(command, args, {
    stdio: 'ignore',
    detached: true,
    cwd: join(root, 'bench'),
    env: { ...env, ...more },
  });
  const ended = once(child, 'exit');
  return {
    child,
    async end() {
      process.kill(-child.pid, 'SIGTERM');
      await ended;
    },
  };
}

/** One request over a connection of its own; the status, or `undefined` while no process listens. */
function ask(port, method, path, body) {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json' };
    const outgoing = request({ host: '127.0.0.1', port, method, path, headers, agent: false });
    outgoing.on('response', (response) => response.resume().on('end', () => resolve(response.statusCode)));
    outgoing.on('error', () => resolve(undefined));
    outgoing.end(body);
  });
}

async function ready(command, args, more) {
  const port = await freePort();
  const started = performance.now();
  const { child, end } = start(command, args(port), { PORT: String(port), ...more });
  while ((await ask(port, 'GET', '/ping')) !== 200) {
    if (child.exitCode !== null || performance.now() - started > mostMs) throw new Error('it is never ready');
    await delay(pollMs);
  }
  const readyMs = performance.now() - started;
  if ((await ask(port, 'POST', '/execute', add)) !== 200) throw new Error('it does not execute');
  const executedMs = performance.now() - started;
  await end();
  return { readyMs, executedMs };
}

/** A queue that has no jobs, and notes when it is first asked for one. */
async function firstTake(command, args, python) {
  const taken = Promise.withResolvers();
  const queue = createServer((incoming, response) => {
    incoming.resume();
    if (incoming.url.includes('/take')) taken.resolve();
    setTimeout(() => response.writeHead(204).end(), 50);
  }).listen(0, '127.0.0.1');
  await once(queue, 'listening');
  const base = `http://127.0.0.1:${queue.address().port}`;
  const started = performance.now();
  const { end } = start(command, args, {
    RUNPOD_WEBHOOK_GET_JOB: `${base}/take/$ID`,
    RUNPOD_WEBHOOK_POST_OUTPUT: `${base}/done/$RUNPOD_POD_ID/$ID`,
    RUNPOD_WEBHOOK_PING: `${base}/ping/$RUNPOD_POD_ID`,
    RUNPOD_AI_API_KEY: 'bench',
    RUNPOD_POD_ID: 'bench',
    RUNPOD_ENDPOINT_ID: 'bench',
    RUNPOD_DEBUG_LEVEL: 'ERROR',
    FLASH_VOLUME_DIR: '/nonexistent',
    ...(python && { FLASH_PYTHON: python }),
  });
  const timer = setTimeout(() => taken.reject(new Error('no job was ever asked for')), mostMs);
  await taken.promise;
  const ms = performance.now() - started;
  clearTimeout(timer);
  queue.closeAllConnections();
  await end();
  queue.close();
  return ms;
}

async function floor() {
  const started = performance.now();
  execFileSync(process.execPath, ['-e', '0']);
  return performance.now() - started;
}

const bundle = (app) => join(root, 'bundle', app, 'main.js');

export async function coldStart(report, rounds) {
  const times = { node: [], lb: [], lbExecuted: [], comparator: [], comparatorExecuted: [], qb: [], sdk: [] };
  for (let round = -1; round < rounds; round++) {
    const ours = await ready(process.execPath, () => [...nodeFlags, bundle('lb-app')], {
      NODE_ENV: 'production',
    });
    const theirs = await ready(benchPython, (port) => [
      ...['-m', 'uvicorn', 'comparator_lb:app', '--host', '127.0.0.1', '--port', String(port)],
      ...['--log-level', 'error'],
    ]);
    const qb = await firstTake(process.execPath, [...nodeFlags, bundle('qb-app')]);
    const sdk = await firstTake(benchPython, ['comparator_qb.py']);
    const node = await floor();
    // The first round fills the caches of all.
    if (round < 0) continue;
    times.node.push(node);
    times.lb.push(ours.readyMs);
    times.lbExecuted.push(ours.executedMs);
    times.comparator.push(theirs.readyMs);
    times.comparatorExecuted.push(theirs.executedMs);
    times.qb.push(qb);
    times.sdk.push(sdk);
  }
  const rows = [
    ['start-floor', 'exec to first 200 on /ping, beside node -e 0', 'lb', 'node', 3],
    ['start', 'exec to first 200 on /ping', 'lb', 'comparator', 0.3],
    ['start-execute', 'exec to first /execute answered', 'lbExecuted', 'comparatorExecuted', 0.4],
    ['start-take', 'exec to first job-take', 'qb', 'sdk', 0.1],
  ];
  for (const [id, title, ours, theirs, limit] of rows)
    report.add({ id, title, unit: 'ms', ours: times[ours], theirs: times[theirs], limit });
}
