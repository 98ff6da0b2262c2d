/** qb-app beside the platform's own SDK, alternating, against the same small queue server. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { nodeFlags } from '../scripts/lib/node-flags.mjs';
import { root } from '../scripts/lib/run.mjs';
import { median, stateOf } from './figures.mjs';
import { startQueueServer } from './queue-server.mjs';

// Two pickled integers, 2 and 3.
const add = {
  function_name: 'add',
  function_code: 'def add(a, b):\n    return a + b',
  args: ['gAVLAi4=', 'gAVLAy4='],
};
const loop = { function_name: 'f', function_code: 'def f():\n    while True: pass', args: [] };

const ours = (env = {}) => [
  process.execPath,
  [...nodeFlags, join(root, 'bundle/qb-app/main.js')],
  { FLASH_PYTHON: join(root, '.venv/bin/python'), ...env },
];
const theirs = () => [join(root, '.venv-bench/bin/python'), [join(root, 'bench/comparator_qb.py')], {}];

export async function queue(report, rounds) {
  const latency = { ours: [], theirs: [] };
  const next = { ours: [], theirs: [] };
  const random = { ours: [], theirs: [] };
  const rate = { ours: [], theirs: [] };
  for (let round = 0; round < rounds; round++) {
    await withWorker(ours, async (jobs) => {
      for (let count = 0; count < 50; count++) await jobs.submit(add);
      next.ours.push(median(await nextLatencies(jobs, 40)));
      latency.ours.push(median(await idleLatencies(jobs, 40, 20, 120)));
      random.ours.push(median(await randomLatencies(jobs, 20)));
      rate.ours.push(await jobsPerSecond(jobs, 1000));
    });
    await withWorker(theirs, async (jobs) => {
      await jobs.submit(add);
      next.theirs.push(median(await nextLatencies(jobs, 5)));
      latency.theirs.push(median(await idleLatencies(jobs, 10, 1100, 1300)));
      random.theirs.push(median(await randomLatencies(jobs, 20)));
      rate.theirs.push(await jobsPerSecond(jobs, 5));
    });
  }
  const rows = [
    ['job-next', 'job right after the last one, to its result', next],
    ['job-asked', 'job while the worker asks, to its result', latency],
    ['job-random', 'job at a random moment, to its result', random],
  ];
  for (const [id, title, sides] of rows) report.add({ id, title, unit: 'ms', ...sides });
  report.add({ id: 'jobs', title: 'jobs of add, one at a time, jobs/s', unit: '/s', isRate: true, ...rate });
  await withWorker(ours, (jobs, child) => endurance(report, rounds, jobs, child));
}

async function endurance(report, rounds, jobs, child) {
  await jobsPerSecond(jobs, 16);
  const before = stateOf(child.pid);
  await jobsPerSecond(jobs, 5000);
  await delay(1000);
  const after = stateOf(child.pid);
  const alone = (id, title, unit, ours) => report.add({ id, title, unit, ours });
  alone('jobs-grown', 'memory grown by 5 000 jobs', 'MB', [after.rss - before.rss]);
  alone('jobs-descriptors', 'descriptors grown by 5 000 jobs', '', [after.descriptors - before.descriptors]);
  const slots = [];
  for (let round = 0; round < rounds; round++) slots.push(await stopToNext(jobs));
  alone('stop', 'stop of a looping job to the next one’s result (grace 2 000 ms)', 'ms', slots);
  await delay(1500);
  const asked = performance.now();
  child.kill('SIGTERM');
  const code = await child.ended;
  if (code !== 0) throw new Error(`the worker ended with ${code}`);
  alone('sigterm', 'SIGTERM of an idle worker to its end', 'ms', [performance.now() - asked]);
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
