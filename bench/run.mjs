/**
 * Measures lb-app beside the comparator, alternating, after a warm-up, and prints medians and ratios.
 * Needs `wrk` (Debian: apt-get install wrk). Usage: npm run bench -- [rounds]
 */
import { cpus } from 'node:os';
import { prepareComparators } from './comparators.mjs';
import { echo, eightSleepers, installedDependencies, median, post, stateOf, wrk } from './figures.mjs';
import { startComparator, startWorker } from './servers.mjs';

const rounds = Number(process.argv[2] ?? 5);
prepareComparators();
console.log(`${cpus().length} × ${cpus()[0].model}, Node ${process.version}, ${rounds} rounds\n`);
const worker = await startWorker({ LOG_LEVEL: 'INFO' });
const comparator = await startComparator();
const sides = [worker, comparator];
for (const { url } of sides) {
  await wrk(url, 1, 3);
  await wrk(url, 32, 3);
  await echo(url, 8_000_000, 2);
}

if (process.argv[3] === 'endurance') {
  for (const side of sides) await side.close();
  await endurance();
  process.exit(0);
}
await compare('/execute add, 1 connection, p50 ms', async ({ url }) => (await wrk(url, 1, 2)).p50);
await compare('/execute add, 1 connection, p99 ms', async ({ url }) => (await wrk(url, 1, 2)).p99);
await compare('/execute add, 32 connections, req/s', async ({ url }) => (await wrk(url, 32, 3)).perSecond);
await compare('1 MB argument echoed, p50 ms', ({ url }) => echo(url, 1_000_000, 5));
await compare('8 MB argument echoed, p50 ms', ({ url }) => echo(url, 8_000_000, 3));

const sleepers = [];
for (let round = 0; round < rounds; round++) sleepers.push(await eightSleepers(worker.url));
print('8 × sleep 0.2 s at once, ms', median(sleepers.map(({ ms }) => ms)));
print('  /ping meanwhile, p99 ms', median(sleepers.map(({ pingP99 }) => pingP99)));
const installed = await installedDependencies(worker.url, 200);
print('installed dependencies: extra ms', installed.extra);
for (const side of sides) await side.close();
await endurance();

async function compare(title, measure) {
  const [ours, theirs] = [[], []];
  for (let round = 0; round < rounds; round++) {
    ours.push(await measure(worker));
    theirs.push(await measure(comparator));
  }
  const spread = (values) => `${Math.min(...values).toFixed(2)}–${Math.max(...values).toFixed(2)}`;
  const ratio = median(ours) / median(theirs);
  console.log(
    `${title.padEnd(40)} ${median(ours).toFixed(3).padStart(10)} (${spread(ours)})  comparator ${median(theirs).toFixed(3)} (${spread(theirs)})  ratio ${ratio.toFixed(2)}`,
  );
}

function print(title, value) {
  console.log(`${title.padEnd(40)} ${value.toFixed(3).padStart(10)}`);
}

/** 10 000 requests, then 200 crashes: what the supervisor keeps. */
async function endurance() {
  const fresh = await startWorker();
  const add = JSON.stringify({ function_name: 'f', function_code: 'def f(): return 1', args: [] });
  const crash = JSON.stringify({
    function_name: 'f',
    function_code: 'import os\ndef f(): os._exit(1)',
    args: [],
  });
  const batch = async (body, count, width) => {
    for (let index = 0; index < count; index += width)
      await Promise.all(Array.from({ length: width }, () => post(fresh.url, body)));
  };
  await batch(add, 16, 8);
  const cold = stateOf(fresh.pid);
  await batch(add, 1000, 8);
  const before = stateOf(fresh.pid);
  await batch(add, 10_000, 8);
  await batch(crash, 200, 4);
  await batch(add, 100, 1);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const after = stateOf(fresh.pid);
  print('10 000 req + 200 crashes, warm: MB grown', after.rss - before.rss);
  print('  the same from the cold start: MB grown', after.rss - cold.rss);
  print('  descriptors grown', after.descriptors - before.descriptors);
  print('  zombies', after.zombies);
  await fresh.close();
}
