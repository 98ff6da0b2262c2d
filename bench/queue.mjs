/**
 * Measures qb-app beside the platform's own SDK, alternating, against the same small queue server, and prints medians and ratios.
 * Usage: npm run bench:queue -- [rounds]
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { root } from '../scripts/lib/run.mjs';
import { prepareComparators } from './comparators.mjs';
import { median, stateOf } from './figures.mjs';
import { startQueueServer } from './queue-server.mjs';

const rounds = Number(process.argv[2] ?? 5);
// Two pickled integers, 2 and 3.
const add = {
  function_name: 'add',
  function_code: 'def add(a, b):\n    return a + b',
  args: ['gAVLAi4=', 'gAVLAy4='],
};
const loop = { function_name: 'f', function_code: 'def f():\n    while True: pass', args: [] };

const ours = (env = {}) => [
  process.execPath,
  [join(root, 'apps/qb-app/dist/main.js')],
  { FLASH_PYTHON: join(root, '.venv/bin/python'), ...env },
];
const theirs = () => [join(root, '.venv-bench/bin/python'), [join(root, 'bench/comparator_qb.py')], {}];

prepareComparators();
console.log(`${cpus().length} × ${cpus()[0].model}, Node ${process.version}, ${rounds} rounds\n`);

const first = { ours: [], theirs: [] };
for (let round = 0; round < rounds + 1; round++) {
  for (const [side, make] of [
    ['ours', ours],
    ['theirs', theirs],
  ]) {
    const ms = await timeToFirstTake(make);
    if (round > 0) first[side].push(ms); // the first of each warms the disk's cache
  }
}
print('exec → first job-take, ms', first);

const latency = { ours: [], theirs: [] };
const next = { ours: [], theirs: [] };
const random = { ours: [], theirs: [] };
const rate = { ours: [], theirs: [] };
for (let round = 0; round < rounds; round++) {
  await withWorker(ours, async (queue) => {
    for (let count = 0; count < 50; count++) await queue.submit(add);
    next.ours.push(median(await nextLatencies(queue, 40)));
    latency.ours.push(median(await idleLatencies(queue, 40, 20, 120)));
    random.ours.push(median(await randomLatencies(queue, 20)));
    rate.ours.push(await jobsPerSecond(queue, 1000));
  });
  await withWorker(theirs, async (queue) => {
    await queue.submit(add);
    next.theirs.push(median(await nextLatencies(queue, 5)));
    latency.theirs.push(median(await idleLatencies(queue, 10, 1100, 1300)));
    random.theirs.push(median(await randomLatencies(queue, 20)));
    rate.theirs.push(await jobsPerSecond(queue, 5));
  });
}
print('job available right after the last one → result posted, p50 ms', next);
print('job available while the worker asks → result posted, p50 ms', latency);
print('job available at a random moment → result posted, p50 ms', random);
print('jobs of add, concurrency 1, jobs/s', rate);

await withWorker(ours, async (queue, child) => {
  await jobsPerSecond(queue, 16);
  const before = stateOf(child.pid);
  await jobsPerSecond(queue, 5000);
  await delay(1000);
  const after = stateOf(child.pid);
  console.log(
    `memory after 5 000 jobs: MB grown ${(after.rss - before.rss).toFixed(1)} (from ${before.rss.toFixed(1)}), descriptors ${after.descriptors - before.descriptors}`,
  );
  const slots = [];
  for (let round = 0; round < rounds; round++) slots.push(await stopToNext(queue));
  console.log(
    `stop of a looping job → next job answered, ms: ${slots.map((ms) => ms.toFixed(0)).join(' ')} (grace 2000)`,
  );
  await delay(1500);
  const asked = performance.now();
  child.kill('SIGTERM');
  const code = await child.ended;
  console.log(`idle SIGTERM → exit ${code}, ms: ${(performance.now() - asked).toFixed(0)}`);
});

async function timeToFirstTake(make) {
  const queue = await startQueueServer();
  const startedAt = performance.now();
  const child = start(make, queue);
  const takenAt = await queue.firstTake;
  await child.end();
  queue.close();
  return takenAt - startedAt;
}

/** Every job comes when the result of the one before has come. */
async function nextLatencies(queue, count) {
  const all = [];
  for (let index = 0; index < count; index++) {
    const { availableAt, at } = await queue.submit(add);
    all.push(at - availableAt);
  }
  return all;
}

/** Every job comes at some moment at which the worker has been asking for a while. */
async function idleLatencies(queue, count, fromMs, toMs) {
  const all = [];
  for (let index = 0; index < count; index++) {
    await delay(fromMs + Math.random() * (toMs - fromMs));
    while (!queue.isAsked()) await delay(2);
    const { availableAt, at } = await queue.submit(add);
    all.push(at - availableAt);
  }
  return all;
}

/** Every job comes up to a second after the last result, whatever the worker is doing then. */
async function randomLatencies(queue, count) {
  const all = [];
  for (let index = 0; index < count; index++) {
    await delay(Math.random() * 1000);
    const { availableAt, at } = await queue.submit(add);
    all.push(at - availableAt);
  }
  return all;
}

async function jobsPerSecond(queue, count) {
  const startedAt = performance.now();
  const results = await Promise.all(Array.from({ length: count }, () => queue.submit(add)));
  const seconds = (performance.now() - startedAt) / 1000;
  if (!results.every(({ body }) => body.output.success)) throw new Error('a job failed');
  return count / seconds;
}

async function stopToNext(queue) {
  const running = queue.submit(loop);
  void running;
  await delay(300);
  const next = queue.submit(add);
  await delay(50);
  const askedAt = performance.now();
  queue.stop(`job-${queue.last() - 1}`);
  return (await next).at - askedAt;
}

async function withWorker(make, work) {
  const queue = await startQueueServer();
  const child = start(make, queue);
  try {
    await work(queue, child);
  } finally {
    if (child.exitCode === null) await child.end();
    queue.close();
  }
}

function start(make, { base }) {
  const [file, args, env] = make();
  const state = mkdtempSync(join(tmpdir(), 'flash-bench-'));
  const child = spawn(file, args, {
    env: {
      ...process.env,
      LOG_LEVEL: 'INFO',
      RUNPOD_ENDPOINT_ID: 'bench',
      RUNPOD_POD_ID: 'worker',
      RUNPOD_AI_API_KEY: 'key-of-the-bench',
      RUNPOD_WEBHOOK_GET_JOB: `${base}/job-take/$ID?gpu=none`,
      RUNPOD_WEBHOOK_POST_OUTPUT: `${base}/job-done/$RUNPOD_POD_ID/$ID?gpu=none`,
      RUNPOD_WEBHOOK_POST_STREAM: `${base}/job-stream/$RUNPOD_POD_ID/$ID?gpu=none`,
      RUNPOD_WEBHOOK_PING: `${base}/ping/$RUNPOD_POD_ID`,
      FLASH_STATE_DIR: state,
      ...env,
    },
    stdio: ['ignore', 'ignore', 'ignore'],
    // The SDK leaves its heartbeat process behind when it is killed: the whole group is ended.
    detached: true,
  });
  child.end = async () => {
    process.kill(-child.pid, 'SIGKILL');
    await child.ended;
  };
  child.ended = new Promise((resolve) => child.once('exit', resolve)).then((code) => {
    rmSync(state, { recursive: true, force: true });
    return code;
  });
  return child;
}

function print(title, { ours: own, theirs: other }) {
  const spread = (values) => `${Math.min(...values).toFixed(2)}–${Math.max(...values).toFixed(2)}`;
  console.log(
    `${title.padEnd(44)} ${median(own).toFixed(2)} (${spread(own)})  comparator ${median(other).toFixed(2)} (${spread(other)})  ratio ${(median(own) / median(other)).toPrecision(3)}`,
  );
}
