/**
 * Measures how the user's web app is served: behind lb-app beside plain uvicorn, alternating; its start, its death, many streams; and the
 * unpacking of a large artifact beside tar. Usage: npm run bench:app -- [rounds]
 */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { createServer } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { root } from '../scripts/lib/run.mjs';
import { prepareComparators } from './comparators.mjs';
import { median, wrkGet } from './figures.mjs';

const rounds = Number(process.argv[2] ?? 5);
const python = join(root, '.venv-dev/bin/python');
const bench = join(root, 'bench');
const run = promisify(execFile);

prepareComparators();
console.log(`${cpus().length} × ${cpus()[0].model}, Node ${process.version}, ${rounds} rounds\n`);

const figures = { p50: { ours: [], theirs: [] }, perSecond: { ours: [], theirs: [] } };
const [app, bare] = [await lbApp(), await plainUvicorn()];
await Promise.all([app.ready(), bare.ready()]);
// Short turns, each side first every other time: the machine's own ups and downs last longer than one.
for (let turn = 0; turn < 4 * rounds + 1; turn++) {
  const sides = [
    ['ours', app],
    ['theirs', bare],
  ];
  if (turn % 2 === 1) sides.reverse();
  for (const [side, { url }] of sides) {
    const one = await wrkGet(`${url}/add?a=2&b=3`, 1, 2);
    const many = await wrkGet(`${url}/add?a=2&b=3`, 32, 2);
    if (turn === 0) continue; // warm-up
    figures.p50[side].push(one.p50);
    figures.perSecond[side].push(many.perSecond);
  }
}
print('web app, 1 connection, p50 ms', figures.p50);
print('web app, 32 connections, requests/s', figures.perSecond);

const deaths = [];
for (let round = 0; round < rounds; round++) deaths.push(await kill(app));
console.log(`kill of the app → first 503, ms: ${shown(deaths.map(({ first503 }) => first503))}`);
console.log(`kill → served again, ms: ${shown(deaths.map(({ again }) => again))}`);
console.log(
  `after a kill, over ${deaths.reduce((sum, { probes }) => sum + probes, 0)} connections: longest time refused, ms: ${shown(deaths.map(({ refusedMs }) => refusedMs))}; connections cut: ${deaths.map(({ cut }) => cut).join(' ')}`,
);

const streams = await run(python, [
  join(root, 'apps/lb-app/test/web-clients/streams.py'),
  new URL(app.url).port,
  '1000',
  '100',
  '60',
]);
console.log(`1 000 event streams and 100 WebSockets for a minute: ${streams.stdout.trim()}`);
console.log(`memory after it, MB: supervisor ${rss(app.pid)}, app ${rss(await pidOf(app.url))}`);
await Promise.all([app.close(), bare.close()]);

const starts = [];
for (let round = 0; round < rounds; round++) starts.push(await start());
console.log(`start → first 204, ms: ${shown(starts.map(({ first204 }) => first204))}`);
console.log(`start → first 200, ms: ${shown(starts.map(({ first200 }) => first200))}`);
console.log(
  `the app’s own start-up done → first 200, ms: ${shown(starts.map(({ afterReady }) => afterReady))}`,
);
console.log(
  `during start, over ${starts.reduce((sum, { probes }) => sum + probes, 0)} connections: refused or cut ${starts.reduce((sum, { failed }) => sum + failed, 0)}`,
);

await artifact();

function print(what, { ours, theirs }) {
  const [a, b] = [median(ours), median(theirs)];
  console.log(`${what}: ours ${a.toFixed(3)}, plain uvicorn ${b.toFixed(3)}, ratio ${(a / b).toFixed(3)}`);
}

function shown(values) {
  return `${median(values).toFixed(1)} (${values.map((value) => value.toFixed(1)).join(' ')})`;
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A server process on a port that is known before it listens. */
async function serve(file, args, env) {
  const port = await freePort();
  const child = spawn(file, args(port), {
    env: { ...process.env, ...env(port) },
    stdio: 'ignore',
    cwd: bench,
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    pid: child.pid,
    ready: async () => {
      while ((await probe(url)).status !== 200) await delay(10);
    },
    close: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function lbApp(env = {}) {
  return serve(
    process.execPath,
    () => [join(root, 'apps/lb-app/dist/main.js')],
    (port) => ({
      HOST: '127.0.0.1',
      PORT: String(port),
      FLASH_PYTHON: python,
      FLASH_ENDPOINT_TYPE: 'lb',
      FLASH_APP_DIR: bench,
      FLASH_MAIN_FILE: 'web_app.py',
      ...env,
    }),
  );
}

function plainUvicorn() {
  const options = ['--no-access-log', '--timeout-keep-alive', '600'];
  return serve(
    python,
    (port) => ['-m', 'uvicorn', 'web_app:app', '--port', String(port), ...options],
    () => ({}),
  );
}

/** One request on a connection of its own. */
function probe(url) {
  const agent = new Agent({ keepAlive: false });
  return new Promise((resolve) => {
    get(`${url}/ping`, { agent, timeout: 5000 }, (response) => {
      response.resume();
      response.on('end', () => resolve({ status: response.statusCode }));
      response.on('error', (error) => resolve({ status: error.code }));
    })
      .on('timeout', () => resolve({ status: 'timeout' }))
      .on('error', (error) => resolve({ status: error.code }));
  });
}

async function pidOf(url) {
  return Number(await (await fetch(`${url}/pid`, { headers: { connection: 'close' } })).text());
}

function rss(pid) {
  return (Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024).toFixed(1);
}

/** Probes without a pause from the kill of the app until it serves again. */
async function kill({ url }) {
  const pid = await pidOf(url);
  const killedAt = performance.now();
  process.kill(pid, 'SIGKILL');
  let [first503, probes, cut, refusedMs, refusedSince] = [undefined, 0, 0, 0, undefined];
  for (;;) {
    const { status } = await probe(url);
    const at = performance.now() - killedAt;
    probes++;
    if (status === 503) first503 ??= at;
    if (status === 'ECONNRESET') cut++;
    if (status === 'ECONNREFUSED') {
      refusedSince ??= at;
      refusedMs = Math.max(refusedMs, at - refusedSince);
    } else refusedSince = undefined;
    if (status === 200 && first503 !== undefined) return { first503, again: at, probes, cut, refusedMs };
  }
}

/** Probes from the first answer until the app serves. */
async function start() {
  const startedAt = performance.now();
  const readyFile = join(tmpdir(), `flash-bench-ready-${process.pid}`);
  const server = await lbApp({ BENCH_READY_FILE: readyFile });
  let [first204, probes, failed] = [undefined, 0, 0];
  for (;;) {
    const { status } = await probe(server.url);
    const at = performance.now() - startedAt;
    if (status === 204) first204 ??= at;
    if (first204 === undefined) {
      await delay(1);
      continue;
    }
    probes++;
    if (typeof status === 'string') failed++;
    if (status === 200) {
      const afterReady = performance.timeOrigin + performance.now() - Number(readFileSync(readyFile, 'utf8'));
      rmSync(readyFile);
      await server.close();
      return { first204, first200: at, afterReady, probes, failed };
    }
  }
}

async function artifact() {
  const directory = mkdtempSync(join(tmpdir(), 'flash-bench-'));
  try {
    const source = join(directory, 'source');
    // Half of each file compresses, half does not.
    for (let index = 0; index < 20_000; index++) {
      if (index % 200 === 0) mkdirSync(join(source, String(index / 200)), { recursive: true });
      const content = Buffer.concat([randomBytes(13_000), Buffer.alloc(13_000, index % 251)]);
      writeFileSync(join(source, String(Math.floor(index / 200)), `file-${index}.bin`), content);
    }
    const archive = join(directory, 'artifact.tar.gz');
    execFileSync('tar', ['czf', archive, '-C', source, '.']);
    const times = { ours: [], theirs: [] };
    const peaks = [];
    for (let round = 0; round < 4; round++) {
      for (const side of ['theirs', 'ours']) {
        const target = join(directory, side);
        mkdirSync(target);
        execFileSync('sync');
        const startedAt = performance.now();
        if (side === 'theirs') execFileSync('tar', ['xzf', archive, '-C', target]);
        else
          peaks.push(
            Number((await run(process.execPath, [join(bench, 'unpack.mjs'), archive, target])).stdout),
          );
        if (round > 0) times[side].push((performance.now() - startedAt) / 1000);
        rmSync(target, { recursive: true });
      }
    }
    const [a, b] = [median(times.ours), median(times.theirs)];
    console.log(
      `artifact of 20 000 files, 520 MB, unpacked, s: ours ${a.toFixed(2)}, tar xzf ${b.toFixed(2)}, ratio ${(a / b).toFixed(2)}; peak memory ${Math.max(...peaks).toFixed(0)} MB`,
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
}
