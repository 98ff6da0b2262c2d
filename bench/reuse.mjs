/**
 * What a process of its own for each function request costs, beside runners that are used again: npm run bench:reuse [-- --rounds N].
 *
 * Two workers, `FLASH_RUNNER_REUSE=clean` and `never`, are asked in turn; `clean` for a function that only computes, and for one after which state has
 * to be put back. What is told are medians over the rounds: requests with a pause between two, one after the other, and on 32 connections; the processor
 * time of supervisor, zygote and runners for each request; and what each kind of process state costs. Needs `wrk`, which root on Debian gets installed.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { root } from '../scripts/lib/run.mjs';
import { median, post, wrk } from './figures.mjs';
import { startWorker } from './servers.mjs';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } });
const pauseMs = 20;
const paused = 200;
const seconds = 5;
/** One tick of /proc/PID/stat, in ms. */
const tickMs = 1000 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
const computing = request('def add(a, b):\n    return a + b');
const other = request('import os\ndef add(a, b):\n    return a + b');
const workers = {
  clean: await startWorker({ FLASH_RUNNER_REUSE: 'clean' }),
  never: await startWorker({ FLASH_RUNNER_REUSE: 'never' }),
};
const columns = {
  'clean, computing': { worker: workers.clean, body: computing },
  clean: { worker: workers.clean, body: other },
  never: { worker: workers.never, body: other },
};
const figures = {};

for (const { worker, body } of Object.values(columns)) await wrk(worker.url, 1, seconds, body);
for (let round = 0; round < Number(values.rounds); round++) {
  const names = Object.keys(columns);
  const order = round % 2 === 0 ? names : names.toReversed();
  for (const name of order) take(name, `every ${pauseMs} ms: p50, ms`, await withPauses(columns[name]));
  for (const name of order) {
    const { worker, body } = columns[name];
    const before = processorMs(worker.pid);
    const one = await wrk(worker.url, 1, seconds, body);
    // Runners that are on their way out are counted too.
    await delay(500);
    const after = processorMs(worker.pid);
    const requests = one.perSecond * seconds;
    take(name, 'closed loop, 1 connection: p50, ms', one.p50);
    take(name, 'closed loop, 1 connection: requests per second', one.perSecond);
    for (const part of Object.keys(before))
      take(name, `processor time a request: ${part}, ms`, (after[part] - before[part]) / requests);
  }
  for (const name of order) {
    const { worker, body } = columns[name];
    const many = await wrk(worker.url, 32, seconds, body);
    take(name, 'closed loop, 32 connections: p50, ms', many.p50);
    take(name, 'closed loop, 32 connections: requests per second', many.perSecond);
  }
}
for (const worker of Object.values(workers)) await worker.close();

const width = 18;
const line = (what, cells) =>
  console.log(what.padEnd(52) + cells.map((cell) => cell.padStart(width)).join(''));
line('', Object.keys(columns));
for (const [what, byColumn] of Object.entries(figures))
  line(
    what,
    Object.keys(columns).map((name) => median(byColumn[name]).toFixed(3)),
  );
console.log('\nAfter each request, best of many, in µs:');
console.log(
  execFileSync(join(root, '.venv/bin/python'), [join(root, 'bench/state_cost.py')], {
    encoding: 'utf8',
    env: { ...process.env, PYTHONPATH: join(root, 'packages/infra-python-bridge/python') },
  }),
);

function take(name, what, value) {
  figures[what] ??= {};
  figures[what][name] ??= [];
  figures[what][name].push(value);
}

function request(code) {
  return JSON.stringify({ function_name: 'add', function_code: code, args: ['gAVLAi4=', 'gAVLAy4='] });
}

async function withPauses({ worker, body }) {
  const times = [];
  for (let count = 0; count < paused; count++) {
    await delay(pauseMs);
    const { ms, answer, text } = await post(worker.url, body);
    if (answer().success !== true) throw new Error(text);
    times.push(ms);
  }
  return median(times);
}

/** Processor time so far of a worker's supervisor, of its zygotes, and of all that zygotes have buried or that still runs below them. */
function processorMs(supervisor) {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => times(pid) ?? []);
  const below = (parent) => processes.filter((process) => process.parent === parent);
  const sum = (list) => list.reduce((total, process) => total + process.own, 0);
  const zygotes = below(supervisor);
  const buried = zygotes.reduce((total, zygote) => total + zygote.children, 0);
  return {
    supervisor: times(supervisor).own,
    zygote: sum(zygotes),
    runners: buried + sum(zygotes.flatMap(({ pid }) => below(pid))),
  };
}

function times(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ').map(Number);
    const [, parent] = fields;
    const [user, system, childUser, childSystem] = fields.slice(11, 15);
    return {
      pid: Number(pid),
      parent,
      own: (user + system) * tickMs,
      children: (childUser + childSystem) * tickMs,
    };
  } catch {
    // It has ended.
    return undefined;
  }
}
