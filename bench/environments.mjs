/**
 * What a new worker takes to have numpy and pandas, in one run, alternating: npm run bench:environments [-- ROUNDS]
 *
 * Each round has disks that were never written to, for both sides. Needs PyPI; root, for file systems of its own.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openDisk } from './disk.mjs';
import { median, post } from './figures.mjs';

const rounds = Number(process.argv[2] ?? 5);
const packages = ['numpy', 'pandas'];
const venv = new URL('../.venv/bin/', import.meta.url).pathname;
const uv = join(venv, 'uv');
const app = fileURLToPath(new URL('../bundle/lb-app/main.js', import.meta.url));
const image = openDisk('flash-bench-image-');
const python = makeImage(image.root);
let machines = 0;

const touch = 'def f():\n    return 1';
const imports = 'def f():\n    import numpy, pandas\n    return pandas.__version__';

const readings = {
  settled: {
    title: 'second worker, idle, another environment was used last / a cold uv pip install',
    theirs: 'cold',
    limit: 0.35,
  },
  up: {
    title: 'second worker in the moment in which it is up / a first worker in the same moment',
    theirs: 'first',
    limit: 0.35,
  },
  upAlone: { title: 'second worker in the moment in which it is up / a cold uv pip install', theirs: 'cold' },
  other: { title: 'the same, another environment was used last', theirs: 'cold' },
  shared: { title: 'the same, FLASH_ENVIRONMENTS=shared', theirs: 'cold' },
};
const times = Object.fromEntries([...Object.keys(readings), 'cold', 'first'].map((name) => [name, []]));
times.upAlone = times.up;
const [withProfile, without, live, none] = [[], [], [], []];

function sh(args, env = {}) {
  execFileSync(uv, args, { env: { ...process.env, ...env }, stdio: 'pipe' });
}

async function seconds(work) {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** An image's Python. Compiled, as pip leaves the packages of an image. */
function makeImage(directory) {
  const path = join(directory, 'image');
  sh(['venv', '--quiet', '--python', join(venv, 'python'), path]);
  const install = ['pip', 'install', '--quiet', '--compile-bytecode', '--python', join(path, 'bin/python')];
  sh([...install, 'cloudpickle==3.1.2']);
  return join(path, 'bin/python');
}

/** lb-app as images have it, on a machine of its own: an empty disk. */
async function newWorker(disk, volume, settings = {}) {
  const local = join(disk.root, `machine-${machines++}`);
  mkdirSync(local);
  const logFile = join(local, 'log');
  const log = openSync(logFile, 'w');
  const logged = () => readFileSync(logFile, 'utf8');
  const child = spawn(process.execPath, [app], {
    env: {
      ...process.env,
      HOST: '127.0.0.1',
      PORT: '0',
      FLASH_PYTHON: python,
      FLASH_UV: uv,
      FLASH_ENVIRONMENTS: 'isolated',
      FLASH_ENVIRONMENTS_DIR: join(local, 'environments'),
      FLASH_CACHE_DIR: join(local, 'cache'),
      FLASH_VOLUME_DIR: join(image.root, volume),
      RUNPOD_ENDPOINT_ID: 'bench',
      UV_CACHE_DIR: join(local, 'cache/uv'),
      NODE_COMPILE_CACHE: join(image.root, 'compile-cache'),
      ...settings,
    },
    stdio: ['ignore', log, log],
  });
  const ended = once(child, 'exit');
  closeSync(log);
  const until = async (condition) => {
    for (let attempt = 0; attempt < 3000; attempt++) {
      const value = await condition();
      if (value) return value;
      if (child.exitCode !== null) break;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`the worker did not come so far: ${logged()}`);
  };
  const port = await until(() => /listening.*port=(\d+)/.exec(logged())?.[1]);
  const url = `http://127.0.0.1:${port}`;
  await until(async () => (await fetch(`${url}/ping`)).status === 200);
  return {
    async run(code, dependencies = packages) {
      const request = { function_name: 'f', function_code: code, dependencies, serialization_format: 'json' };
      const { answer } = await post(url, JSON.stringify(request));
      if (!answer().success) throw new Error(answer().error);
    },
    logged: (text) => until(() => logged().includes(text)),
    async close() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** A cache of uv's in which the index is known, and nothing was downloaded. */
function knownIndex(disk) {
  const UV_CACHE_DIR = join(disk.root, `uv-${machines++}`);
  sh(['pip', 'install', '--quiet', '--python', python, '--dry-run', ...packages], { UV_CACHE_DIR });
  return UV_CACHE_DIR;
}

/** A cold installation: the index is known, nothing was downloaded. */
async function coldInstall(disk) {
  const local = join(disk.root, `machine-${machines++}`);
  mkdirSync(local);
  const env = { UV_CACHE_DIR: knownIndex(disk) };
  sh(['venv', '--quiet', '--python', python, join(local, 'env')]);
  const install = ['pip', 'install', '--quiet', '--python', join(local, 'env/bin/python')];
  await settle();
  return seconds(() => sh([...install, ...packages], env));
}

/** Lets what goes on in the background come to its end, the writing of earlier rounds to the disk too. */
async function settle() {
  execFileSync('sync');
  await new Promise((resolve) => setTimeout(resolve, 500));
}

/** Makes every environment but the largest the one that was used last. */
function touchOther(volume) {
  const directory = join(image.root, volume, '.cache/cache-bench/environments');
  const all = readdirSync(directory).map((name) => join(directory, name));
  const bytes = (path) => readdirSync(path).reduce((sum, name) => sum + statSync(join(path, name)).size, 0);
  const largest = all.toSorted((one, two) => bytes(two) - bytes(one))[0];
  for (const path of all.filter((candidate) => candidate !== largest))
    for (const name of readdirSync(path)) utimesSync(join(path, name), new Date(), new Date());
}

/** Has a worker use packages, so that the volume keeps them. */
async function use(disk, volume, code, dependencies, settings, logged = 'was kept on') {
  mkdirSync(join(image.root, volume), { recursive: true });
  const worker = await newWorker(disk, volume, settings);
  await worker.run(code, dependencies);
  await worker.logged(logged);
  await worker.close();
}

/** The time from a request to its answer in a worker that has just come up. */
async function firstRequest(name, disk, volume, settings, beforehand = async () => {}) {
  await settle();
  const worker = await newWorker(disk, volume, settings);
  await beforehand(worker);
  times[name].push(await seconds(() => worker.run(touch)));
  return worker;
}

async function compareLive(worker) {
  for (let warmUp = 0; warmUp < 300; warmUp++) {
    await worker.run(touch);
    await worker.run(touch, []);
  }
  const pairs = [[], []];
  for (let call = 0; call < 1000; call++) {
    pairs[0].push(await seconds(() => worker.run(touch)));
    pairs[1].push(await seconds(() => worker.run(touch, [])));
  }
  live.push(median(pairs[0]));
  none.push(median(pairs[1]));
}

async function compareImports(disk) {
  const warm = await newWorker(disk, 'one');
  await warm.logged('modules were imported ahead');
  await settle();
  withProfile.push(await seconds(() => warm.run(imports)));
  await warm.close();
  const plain = await newWorker(disk, 'one', { FLASH_PREIMPORT: 'off' });
  await plain.logged('came from the volume');
  await settle();
  await plain.run(touch);
  without.push(await seconds(() => plain.run(imports)));
  await plain.close();
}

/** Each on a machine whose image has not got the packages yet. */
const ownImage = (disk) => ({
  FLASH_ENVIRONMENTS: 'shared',
  FLASH_PYTHON: makeImage(join(disk.root, `i${machines}`)),
});

async function round() {
  const disk = openDisk('flash-bench-machines-');
  try {
    const up = await firstRequest('up', disk, 'one');
    await compareLive(up);
    await up.close();
    times.cold.push(await coldInstall(disk));
    // Nothing is kept for it, and no more than the index is known, as to the other side.
    await (await firstRequest('first', disk, 'none', { UV_CACHE_DIR: knownIndex(disk) })).close();
    touchOther('two');
    await (await firstRequest('other', disk, 'two')).close();
    touchOther('two');
    const settled = await firstRequest('settled', disk, 'two', {}, async (worker) => {
      await worker.logged('came from the volume');
      await settle();
    });
    await settled.close();
    await (await firstRequest('shared', disk, 'shared', ownImage(disk))).close();
    await compareImports(disk);
  } finally {
    disk.remove();
  }
}

function show(name, ours, theirs, limit) {
  const [one, two] = [ours, theirs].map(median);
  console.log(
    `${name}\n  ${one.toFixed(1)} / ${two.toFixed(1)} ms = ${(one / two).toFixed(3)}${limit === undefined ? '' : ` (limit ${limit})`}`,
  );
  console.log(`  ${[ours, theirs].map((all) => all.map((ms) => ms.toFixed(0)).join(' ')).join(' | ')}`);
}

try {
  const disk = openDisk('flash-bench-first-');
  await use(disk, 'one', imports);
  await use(disk, 'two', imports);
  await use(disk, 'two', 'def f():\n    import humanize', ['humanize']);
  await use(disk, 'shared', imports, packages, ownImage(disk), 'was kept on the volume (files=');
  disk.remove();
  for (let count = 0; count < rounds; count++) await round();
  console.log(
    `numpy and pandas, ${rounds} rounds; the other side: a cold uv pip install of the same set, warm index`,
  );
  for (const [name, { title, theirs, limit }] of Object.entries(readings))
    show(title, times[name], times[theirs], limit);
  show('first request that imports both, with a profile / without', withProfile, without, 0.2);
  console.log(
    `request in a live environment / without dependencies: ${median(live).toFixed(3)} / ${median(none).toFixed(3)} ms, +${(median(live) - median(none)).toFixed(3)} ms (limit 1 ms)`,
  );
} finally {
  image.remove();
}
