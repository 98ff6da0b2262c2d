/**
 * What a new worker takes to have numpy and pandas, in one run, alternating: npm run bench:environments [-- ROUNDS]
 *
 * The environment from the volume against a cold `uv pip install` with a warm index; the first request that imports both, with and without
 * a profile of imports; a request whose environment is live against one without dependencies. Needs PyPI.
 *
 * The environment of the request is not the one that was used last: that one a new worker brings ahead of its first request, and a request
 * for it takes what any request takes.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { functionCallFrom } from '@flash/worker-core';
import { createWorker } from '@flash/worker-host';
import { openDisk } from './disk.mjs';
import { median } from './figures.mjs';

const rounds = Number(process.argv[2] ?? 5);
const packages = ['numpy', 'pandas'];
const disk = openDisk('flash-bench-environments-');
const { root } = disk;
const venv = new URL('../.venv/bin/', import.meta.url).pathname;
const uv = join(venv, 'uv');
const image = join(root, 'image/bin/python');
const volume = join(root, 'volume');
let machines = 0;

const sh = (args, env = {}) => execFileSync(uv, args, { env: { ...process.env, ...env }, stdio: 'pipe' });
const seconds = async (work) => {
  const started = performance.now();
  await work();
  return performance.now() - started;
};

/** A worker on a machine of its own: an empty disk. */
async function newWorker(settings = {}) {
  const local = join(root, `machine-${machines++}`);
  mkdirSync(local);
  const logFile = join(local, 'log');
  const log = openSync(logFile, 'w');
  const env = {
    ...process.env,
    FLASH_PYTHON: image,
    FLASH_UV: uv,
    FLASH_ENVIRONMENTS: 'isolated',
    FLASH_ENVIRONMENTS_DIR: join(local, 'environments'),
    FLASH_CACHE_DIR: join(local, 'cache'),
    FLASH_VOLUME_DIR: volume,
    RUNPOD_ENDPOINT_ID: 'bench',
    ...settings,
  };
  const worker = createWorker({ env, logDescriptor: log });
  await worker.start();
  return {
    async run(code, dependencies = packages) {
      const request = { function_name: 'f', function_code: code, dependencies, serialization_format: 'json' };
      const response = await worker.executeRequest.execute(functionCallFrom(request), { requestId: 'bench' });
      const answer = response.toObject();
      if (!answer.success) throw new Error(answer.error);
      return answer;
    },
    async logged(text) {
      for (let attempt = 0; attempt < 1200; attempt++) {
        if (readFileSync(logFile, 'utf8').includes(text)) return;
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      throw new Error(`${text} was never logged: ${readFileSync(logFile, 'utf8')}`);
    },
    async close() {
      await worker.close();
      closeSync(log);
    },
  };
}

/** A cold installation: the index is known, nothing was downloaded. */
async function coldInstall() {
  const local = join(root, `machine-${machines++}`);
  mkdirSync(local);
  const env = { UV_CACHE_DIR: join(local, 'uv') };
  sh(['venv', '--quiet', '--python', image, join(local, 'env')]);
  const install = ['pip', 'install', '--quiet', '--python', join(local, 'env/bin/python')];
  sh([...install, '--dry-run', ...packages], env);
  await settle();
  const ms = await seconds(() => sh([...install, ...packages], env));
  return ms;
}

const touch = 'def f():\n    return 1';
const imports = 'def f():\n    import numpy, pandas\n    return pandas.__version__';
/** Lets what goes on in the background come to its end, the writing of earlier rounds to the disk too. */
async function settle() {
  execFileSync('sync');
  await new Promise((resolve) => setTimeout(resolve, 500));
}
/** Makes every environment but the largest the one that was used last. */
function touchOther(directory) {
  const all = readdirSync(directory).map((name) => join(directory, name));
  const bytes = (path) => readdirSync(path).reduce((sum, name) => sum + statSync(join(path, name)).size, 0);
  const largest = all.toSorted((one, two) => bytes(two) - bytes(one))[0];
  for (const path of all.filter((candidate) => candidate !== largest))
    for (const name of readdirSync(path)) utimesSync(join(path, name), new Date(), new Date());
}
const show = (name, ours, theirs, limit) =>
  console.log(
    `${name}: ${median(ours).toFixed(1)} / ${median(theirs).toFixed(1)} ms = ${(median(ours) / median(theirs)).toFixed(3)} (limit ${limit})\n` +
      `  ${[ours, theirs].map((all) => all.map((ms) => ms.toFixed(0)).join(' ')).join(' | ')}`,
  );

try {
  mkdirSync(volume);
  sh(['venv', '--quiet', '--python', join(venv, 'python'), join(root, 'image')]);
  // Compiled, as pip leaves the packages of an image.
  sh(['pip', 'install', '--quiet', '--compile-bytecode', '--python', image, 'cloudpickle==3.1.2']);
  /** Has a worker use an environment, so that the volume keeps it and it is the one used last. */
  async function use(code, dependencies) {
    const worker = await newWorker();
    await worker.run(code, dependencies);
    await worker.logged('was kept on');
    await worker.close();
  }
  await use(imports);
  await use('def f():\n    import humanize', ['humanize']);
  const other = join(volume, '.cache/cache-bench/environments');

  const [fromVolume, atOnce, cold, withProfile, without, live, none] = [[], [], [], [], [], [], []];
  for (let round = 0; round < rounds; round++) {
    // The one used last is the other one.
    touchOther(other);
    await settle();
    const fresh = await newWorker();
    atOnce.push(await seconds(() => fresh.run(touch)));
    await fresh.close();
    touchOther(other);
    const second = await newWorker();
    await second.logged('came from the volume');
    await settle();
    fromVolume.push(await seconds(() => second.run(touch)));
    for (let warmUp = 0; warmUp < 300; warmUp++) {
      await second.run(touch);
      await second.run(touch, []);
    }
    const pairs = [[], []];
    for (let call = 0; call < 1000; call++) {
      pairs[0].push(await seconds(() => second.run(touch)));
      pairs[1].push(await seconds(() => second.run(touch, [])));
    }
    live.push(median(pairs[0]));
    none.push(median(pairs[1]));
    await second.close();
    cold.push(await coldInstall());

    const warm = await newWorker();
    await warm.logged('modules were imported ahead');
    await settle();
    withProfile.push(await seconds(() => warm.run(imports)));
    await warm.close();
    const plain = await newWorker({ FLASH_PREIMPORT: 'off' });
    await plain.logged('came from the volume');
    await settle();
    await plain.run(touch);
    without.push(await seconds(() => plain.run(imports)));
    await plain.close();
  }
  console.log(`numpy and pandas, ${rounds} rounds`);
  show(
    'second worker, empty disk, environment from the volume / cold uv pip install',
    fromVolume,
    cold,
    0.35,
  );
  show('the same in the moment in which the worker is up', atOnce, cold, 0.35);
  show('first request that imports both, with a profile / without', withProfile, without, 0.2);
  console.log(
    `request in a live environment / without dependencies: ${median(live).toFixed(3)} / ${median(none).toFixed(3)} ms, +${(median(live) - median(none)).toFixed(3)} ms (limit 1 ms)`,
  );
} finally {
  disk.remove();
}
