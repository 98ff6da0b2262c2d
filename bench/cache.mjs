/**
 * The volume cache against the original's way with tar, in one run, alternating: npm run bench:cache [-- ROUNDS]
 *
 * Sync: one new file of 1 MB in a cache of 2 GB in 30 000 files, against find, tar and tar -A. Hydrate: 1 GB in 20 000 files into an empty
 * directory, against tar xf.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TarSegmentCache, volumeCacheSettingsSchema } from '@flash/infra-volume-cache';
import { openDisk } from './disk.mjs';
import { median } from './figures.mjs';

const rounds = Number(process.argv[2] ?? 5);
const disk = openDisk('flash-bench-cache-');
const work = disk.root;
const noise = randomBytes(64 * 1024 * 1024);
const log = { write: (level, message, fields) => level === 'warn' && console.error(message, fields) };

/** Files from 1 byte to 64 times the average, most of them small, as in caches of packages and models. */
function makeTree(directory, files, bytes) {
  const raw = Array.from({ length: files }, (_, index) =>
    index % 1000 === 0 ? 64 : Math.exp((index % 97) / 20) / 20,
  );
  const scale = bytes / raw.reduce((sum, size) => sum + size, 0);
  for (const [index, size] of raw.entries()) {
    const below = join(directory, `${index % 200}`, `${Math.floor(index / 200) % 10}`);
    if (index < 2000) mkdirSync(below, { recursive: true });
    const length = Math.min(noise.length - 4096, Math.max(1, Math.round(size * scale)));
    const start = (index * 61) % 4096;
    writeFileSync(join(below, `file-${index}.bin`), noise.subarray(start, start + length));
  }
}

function newCache(root, volume) {
  const settings = volumeCacheSettingsSchema.parse({ FLASH_CACHE_DIR: root, FLASH_VOLUME_DIR: volume });
  return new TarSegmentCache({ settings, endpointId: 'bench', log });
}

async function timed(run) {
  const started = performance.now();
  await run();
  return performance.now() - started;
}

const sh = (script) => execFileSync('bash', ['-ec', script], { stdio: ['ignore', 'inherit', 'inherit'] });

/** The most memory that a child of this process has taken, in MB. */
function peakOfChild() {
  const pids = readdirSync('/proc').filter((name) => {
    try {
      return (
        /^\d+$/.test(name) &&
        readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1).split(' ')[1] === String(process.pid)
      );
    } catch {
      return false;
    }
  });
  return Math.max(
    ...pids.map(
      (pid) => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024,
    ),
  );
}

async function benchSync() {
  const [root, volume] = [join(work, 'sync'), join(work, 'sync-volume')];
  mkdirSync(join(volume, '.cache'), { recursive: true });
  makeTree(root, 30_000, 2e9);
  const tarball = join(volume, '.cache/original.tar');
  sh(`cd ${root}; touch ${work}/marker; find . -type f -print0 | tar cf ${tarball} --null -T -`);
  const cache = newCache(root, volume);
  const first = await timed(() => cache.sync());
  const [ours, theirs] = [[], []];
  for (let round = 0; round < rounds; round++) {
    writeFileSync(join(root, '3/4', `new-${round}`), noise.subarray(round, round + 1e6));
    ours.push(await timed(() => cache.sync()));
    theirs.push(
      await timed(() =>
        sh(
          `cd ${root}; find . -type f -newer ${work}/marker ! -path '*/refs/*' ! -path '*/.no_exist/*' -print0 > ${work}/list;
           tar cf ${work}/new.tar --null -T ${work}/list; tar -A -f ${tarball} ${work}/new.tar; touch ${work}/marker; rm ${work}/new.tar`,
        ),
      ),
    );
  }
  const peak = peakOfChild();
  await cache.close();
  return { first, ours: median(ours), theirs: median(theirs), peak, all: [ours, theirs] };
}

async function benchHydrate() {
  const [root, volume] = [join(work, 'hydrate'), join(work, 'hydrate-volume')];
  mkdirSync(join(volume, '.cache'), { recursive: true });
  makeTree(root, 20_000, 1e9);
  sh(`cd ${root}; tar cf ${work}/whole.tar .`);
  const writer = newCache(root, volume);
  await writer.sync();
  await writer.close();
  const [ours, theirs] = [[], []];
  let peak = 0;
  for (let round = 0; round < rounds; round++) {
    const target = join(work, `target-${round}`);
    const cache = newCache(target, volume);
    ours.push(await timed(() => cache.hydrate(() => {})));
    peak = Math.max(peak, peakOfChild());
    await cache.close();
    sh('sync');
    const other = join(work, `other-${round}`);
    mkdirSync(other);
    theirs.push(await timed(() => sh(`tar xf ${work}/whole.tar -C ${other}`)));
    sh('sync');
  }
  return { ours: median(ours), theirs: median(theirs), peak, all: [ours, theirs] };
}

const show = (name, { ours, theirs, peak, all }, limit) => {
  console.log(
    `${name}: ${ours.toFixed(0)} / ${theirs.toFixed(0)} ms = ${(ours / theirs).toFixed(2)} (limit ${limit}), peak ${peak.toFixed(0)} MB`,
  );
  console.log(`  ${all.map((values) => values.map((ms) => ms.toFixed(0)).join(' ')).join(' | ')}`);
};

try {
  const sync = await benchSync();
  console.log(`first sync of 2 GB in 30 000 files: ${sync.first.toFixed(0)} ms`);
  show('sync of one new file of 1 MB', sync, 0.25);
  show('hydrate 1 GB in 20 000 files', await benchHydrate(), 1.2);
} finally {
  disk.remove();
}
