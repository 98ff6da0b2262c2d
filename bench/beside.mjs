/**
 * One build beside another: npm run bench:beside -- --other DIRECTORY [--rounds N] [--starts N] [--env NAME=VALUE …].
 *
 * DIRECTORY is a bundle, of another commit (`npm run bundle -- DIRECTORY` in its checkout) or the same one; `--env` is for this repository's
 * side alone, so that a setting can be weighed. A machine has phases in which everything is slower, so that both sides are asked in turn, a few
 * milliseconds each; processes of one and the same build differ, so that every round starts both anew. What is told is the median over the rounds of how one
 * side was beside the other, with the interval in which it lies 19 times out of 20.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { freePort } from '../scripts/lib/free-port.mjs';
import { nodeFlags } from '../scripts/lib/node-flags.mjs';
import { root } from '../scripts/lib/run.mjs';
import { echo, median } from './figures.mjs';
import { memoryOf } from './memory.mjs';
import { startQueueServer } from './queue-server.mjs';
import { freshCache } from './servers.mjs';

const { values } = parseArgs({
  options: {
    other: { type: 'string' },
    rounds: { type: 'string', default: '10' },
    // Starts of one and the same build differ by a tenth; with so many of them a hundredth can be told in ten rounds.
    starts: { type: 'string', default: '40' },
    env: { type: 'string', multiple: true, default: [] },
  },
});
if (values.other === undefined) throw new Error('name the other bundle: --other DIRECTORY');
// A collector of traces, for settings that send some.
const collector = createServer((request, response) => request.resume().on('end', () => response.end('{}')));
await new Promise((listening) => collector.listen(0, '127.0.0.1', listening));
const given = Object.fromEntries(
  values.env.map((pair) => [pair.split('=')[0], pair.slice(pair.indexOf('=') + 1)]),
);
if ('OTEL_EXPORTER_OTLP_ENDPOINT' in given)
  given.OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${collector.address().port}`;
// Both lie in places of the same kind: how long a path is and what package.json lies above it are no part of a build.
const place = mkdtempSync(join(tmpdir(), 'flash-beside-'));
process.once('exit', () => rmSync(place, { recursive: true, force: true }));
const sides = {
  other: { bundle: copy(resolve(values.other), 'a'), env: {} },
  this: { bundle: copy(join(root, 'bundle'), 'b'), env: given },
};
const add = {
  function_name: 'add',
  function_code: 'def add(a, b):\n    return a + b',
  args: ['gAVLAi4=', 'gAVLAy4='],
};
const pollMs = 2;
/** Which requests of a worker's life are told of: after V8 has compiled what is on their way, as bench results are everywhere else, and before. */
const stretches = [
  { name: 'add, 1 connection', from: 20_000, to: 40_000 },
  { name: 'the same while V8 compiles', from: 5000, to: 10_000 },
];
const figures = { other: {}, this: {} };
const startsPerRound = Number(values.starts);

for (let round = 0; round < Number(values.rounds); round++) {
  const order = round % 2 === 0 ? ['other', 'this'] : ['this', 'other'];
  const take = (name, pair) => {
    for (const side of order) {
      figures[side][name] ??= [];
      figures[side][name].push(pair[side]);
    }
  };
  await measureHttp(order, take);
  await measureQueue(order, take);
}
collector.close();
collector.closeAllConnections();
for (const [name, others] of Object.entries(figures.other)) {
  const ours = figures.this[name];
  const ratios = ours.map((value, round) => value / others[round]);
  const [low, high] = interval(ratios);
  const percent = (ratio) => `${ratio >= 1 ? '+' : ''}${((ratio - 1) * 100).toFixed(1)} %`;
  console.log(
    `${name.padEnd(36)} ${median(others).toFixed(3).padStart(10)} ${median(ours).toFixed(3).padStart(10)}  ${percent(median(ratios)).padStart(8)}  (${percent(low)} to ${percent(high)})`,
  );
}

function copy(bundle, name) {
  const target = join(place, name);
  cpSync(bundle, target, { recursive: true });
  return target;
}

function start(side, app, env) {
  return spawn(process.execPath, [...nodeFlags, join(side.bundle, app, 'main.js')], {
    env: {
      ...process.env,
      FLASH_PYTHON: join(root, '.venv/bin/python'),
      FLASH_CACHE_DIR: freshCache,
      NODE_COMPILE_CACHE: join(place, 'compiled'),
      LOG_LEVEL: 'INFO',
      ...env,
      ...side.env,
    },
    stdio: 'ignore',
  });
}

async function end(child) {
  const ended = new Promise((resolveEnd) => child.once('exit', resolveEnd));
  child.kill('SIGTERM');
  await ended;
}

/** Does `work` with each side, one after the other. */
async function each(order, work) {
  const results = {};
  for (const side of order) results[side] = await work(side);
  return results;
}

/** So many turns of `work` with each side, a few at a time; what each gives, by side. */
async function alternately(order, turns, atATime, work) {
  const results = { other: [], this: [] };
  for (let turn = 0; turn < turns; turn += atATime)
    for (const side of order)
      for (let count = 0; count < atATime; count++) results[side].push(await work(side));
  return results;
}

function medians({ other, this: ours }) {
  return { other: median(other), this: median(ours) };
}

function percentile99(list) {
  return list.toSorted((a, b) => a - b)[Math.floor(list.length * 0.99)];
}

async function startServer(side) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const startedAt = performance.now();
  const child = start(sides[side], 'lb-app', { HOST: '127.0.0.1', PORT: String(port) });
  // Asked at the same times after each start, a worker that is ready a little later would be seen a whole turn later, or no later.
  await delay(1 + Math.floor(Math.random() * (pollMs + 1)));
  while ((await fetch(`${url}/ping`).catch(() => ({ status: 0 }))).status !== 200) await delay(pollMs);
  return { child, url, port, startMs: performance.now() - startedAt };
}

async function measureHttp(order, take) {
  const starts = await alternately(order, startsPerRound, 1, async (side) => {
    const { child, startMs } = await startServer(side);
    await end(child);
    return startMs;
  });
  if (startsPerRound > 0) take('exec to 200 on /ping, ms', medians(starts));
  const servers = await each(order, startServer);
  await delay(1000);
  take('memory idle, MB', await each(order, (side) => memoryOf(servers[side].child.pid)));
  await measureRequests(order, take, servers);
  for (const side of order) await end(servers[side].child);
}

async function measureRequests(order, take, servers) {
  const many = await each(order, (side) =>
    Promise.all(Array.from({ length: 32 }, () => openLine(servers[side].port))),
  );
  const one = (side) => many[side][0].ask();
  const { other, this: ours } = await alternately(order, stretches[0].to, 20, one);
  for (const { name, from, to } of stretches) {
    const [others, own] = [other.slice(from, to), ours.slice(from, to)];
    take(`${name}, p50, ms`, { other: median(others), this: median(own) });
    take(`${name}, p99, ms`, { other: percentile99(others), this: percentile99(own) });
  }
  const bursts = (times) => alternately(order, times, 1, (side) => burst(many[side]));
  // Until both sides have all their runners: with one it does more than with eight, and each side gets them when it does.
  await bursts(40);
  take('req/s at 32 connections', medians(await bursts(100)));
  for (const [name, bytes, times] of [
    // One takes two or three times as long as another, by the garbage that is collected meanwhile.
    ['1 MB echo, ms', 1e6, 240],
    ['8 MB echo, ms', 8e6, 40],
  ])
    take(name, medians(await alternately(order, times, 1, (side) => echo(servers[side].url, bytes, 1))));
  for (const side of order) for (const line of many[side]) line.close();
}

/** Requests per second when each connection asks twenty times, all at the same time. */
async function burst(lines) {
  const times = 20;
  const startedAt = performance.now();
  await Promise.all(
    lines.map(async (line) => {
      for (let count = 0; count < times; count++) await line.ask();
    }),
  );
  return (lines.length * times * 1000) / (performance.now() - startedAt);
}

/** A connection that is asked for the small function again and again; resolves with the time of each answer, in ms. */
async function openLine(port) {
  const body = JSON.stringify(add);
  const request = Buffer.from(
    `POST /execute HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  let answered;
  // A small answer comes in one piece.
  socket.on('data', (bytes) => answered(bytes));
  return {
    ask: () =>
      new Promise((resolveTime, reject) => {
        const asked = performance.now();
        answered = (bytes) => {
          const time = performance.now() - asked;
          if (bytes.subarray(9, 12).toString() === '200') resolveTime(time);
          else reject(new Error(bytes.toString()));
        };
        socket.write(request);
      }),
    close: () => socket.destroy(),
  };
}

/** A queue worker and the queue it serves; resolves when it has asked for its first job. */
async function startQueueWorker(side) {
  const queue = await startQueueServer();
  const startedAt = performance.now();
  const worker = start(sides[side], 'qb-app', {
    RUNPOD_ENDPOINT_ID: 'bench',
    RUNPOD_POD_ID: side,
    RUNPOD_WEBHOOK_GET_JOB: `${queue.base}/job-take/$RUNPOD_POD_ID`,
    RUNPOD_WEBHOOK_POST_OUTPUT: `${queue.base}/job-done/$RUNPOD_POD_ID/$ID`,
    RUNPOD_WEBHOOK_PING: `${queue.base}/ping/$RUNPOD_POD_ID`,
  });
  const startMs = (await queue.firstTake) - startedAt;
  const close = async () => {
    await end(worker);
    queue.close();
  };
  return { submit: queue.submit, startMs, close };
}

async function measureQueue(order, take) {
  const starts = await alternately(order, startsPerRound, 1, async (side) => {
    const { startMs, close } = await startQueueWorker(side);
    await close();
    return startMs;
  });
  if (startsPerRound > 0) take('exec to the first job-take, ms', medians(starts));
  const workers = await each(order, startQueueWorker);
  const job = async (side) => {
    const { availableAt, at } = await workers[side].submit(add);
    return at - availableAt;
  };
  await alternately(order, 300, 10, job);
  take('job right after the last one, ms', medians(await alternately(order, 500, 10, job)));
  for (const side of order) await workers[side].close();
}

/** In which the median lies 19 times out of 20, by drawing the rounds again and again. */
function interval(ratios) {
  const draw = () => median(ratios.map(() => ratios[Math.floor(Math.random() * ratios.length)]));
  const drawn = Array.from({ length: 2000 }, draw).toSorted((a, b) => a - b);
  return [drawn[50], drawn[1949]];
}
