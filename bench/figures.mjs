import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installPrograms } from '../scripts/lib/debian.mjs';
import { fail, root } from '../scripts/lib/run.mjs';

export const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const percentile = (values, part) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))];

/** Requests per second, and latencies in ms, of the small request on so many connections; `body` is another request. */
export function wrk(url, connections, seconds, body) {
  const env = body === undefined ? process.env : { ...process.env, FLASH_BENCH_BODY: body };
  return load(connections, seconds, ['-s', join(root, 'bench/add.lua'), `${url}/execute`], env);
}

/** The same of GET requests. */
export function wrkGet(url, connections, seconds) {
  return load(connections, seconds, [url]);
}

let hasWrk = false;

async function load(connections, seconds, what, env = process.env) {
  if (!hasWrk) prepareWrk();
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', ...what];
  const { stdout } = await promisify(execFile)('wrk', args, { env });
  const latency = (part) => {
    const [, number, unit] = new RegExp(`${part}%\\s+([\\d.]+)(us|ms|s)`).exec(stdout);
    return Number(number) * { us: 0.001, ms: 1, s: 1000 }[unit];
  };
  if (/Non-2xx/.test(stdout)) throw new Error(`errors under load:\n${stdout}`);
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)[1]),
    p50: latency(50),
    p99: latency(99),
  };
}

/** The load generator is a program of its own, which the set-up does without. */
function prepareWrk() {
  const missing = installPrograms(['wrk']);
  if (missing !== undefined) fail(`no load can be made: ${missing}`);
  hasWrk = true;
}

export async function post(url, body) {
  const started = performance.now();
  const response = await fetch(`${url}/execute`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
  });
  const text = await response.text();
  return { ms: performance.now() - started, answer: () => JSON.parse(text), text };
}

/** Median time of an argument of `bytes` bytes there and back, in ms. */
export async function echo(url, bytes, times) {
  const pickled = Buffer.concat([
    Buffer.from([0x80, 5, 0x42]),
    u32(bytes),
    Buffer.alloc(bytes, 7),
    Buffer.from('.'),
  ]);
  const body = JSON.stringify({
    function_name: 'f',
    function_code: 'def f(x): return x',
    args: [pickled.toString('base64')],
  });
  const all = [];
  for (let index = 0; index < times; index++) {
    const { ms, text } = await post(url, body);
    if (text.length < bytes) throw new Error(text.slice(0, 500));
    all.push(ms);
  }
  return median(all);
}

function u32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** Eight calls that sleep 0.2 s at once: time for all in ms, and the 99th percentile of /ping meanwhile. */
export async function eightSleepers(url) {
  const body = JSON.stringify({
    function_name: 'f',
    function_code: 'import time\ndef f(): time.sleep(0.2)',
    args: [],
  });
  const started = performance.now();
  let running = true;
  const pings = [];
  const pinging = (async () => {
    while (running) {
      const begun = performance.now();
      await (await fetch(`${url}/ping`)).text();
      pings.push(performance.now() - begun);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  await Promise.all(Array.from({ length: 8 }, () => post(url, body)));
  const ms = performance.now() - started;
  running = false;
  await pinging;
  return { ms, pingP99: percentile(pings, 0.99) };
}

/** Median extra time of a request whose packages are installed, over one without, in ms. */
export async function installedDependencies(url, times) {
  const request = { function_name: 'f', function_code: 'def f(): return 1', args: [] };
  const [plain, wanting] = [
    JSON.stringify(request),
    JSON.stringify({
      ...request,
      dependencies: ['cloudpickle>=3', 'aiohttp'],
      system_dependencies: ['bash'],
    }),
  ];
  const [without, having] = [[], []];
  for (let index = 0; index < times; index++) {
    without.push((await post(url, plain)).ms);
    having.push((await post(url, wanting)).ms);
  }
  return { without: median(without), having: median(having), extra: median(having) - median(without) };
}

/** What the kernel knows of a process: memory in MB, open descriptors, zombies among its descendants. */
export function stateOf(pid) {
  const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
  const descriptors = readdirSync(`/proc/${pid}/fd`).length;
  const zombies = readdirSync('/proc').filter((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1).split(' ');
      return /^\d+$/.test(name) && stat[0] === 'Z';
    } catch {
      return false;
    }
  }).length;
  return { rss, descriptors, zombies };
}
