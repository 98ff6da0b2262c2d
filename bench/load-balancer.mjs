import { setTimeout as delay } from 'node:timers/promises';
import { echo, eightSleepers, installedDependencies, median, wrk } from './figures.mjs';
import { memoryOf } from './memory.mjs';
import { startComparator, startWorker } from './servers.mjs';

const settleMs = 2000;

/** lb-app beside the original's request path on FastAPI and uvicorn. */
export async function loadBalancer(report, rounds) {
  const worker = await startWorker();
  const comparator = await startComparator();
  const sides = [worker, comparator];
  try {
    await delay(settleMs);
    report.add({
      id: 'memory-idle',
      title: 'memory, idle, before the first request',
      unit: 'MB',
      ours: [memoryOf(worker.pid)],
      theirs: [memoryOf(comparator.pid)],
    });
    await warmUp(sides);
    for (const row of rows) {
      const [ours, theirs] = [[], []];
      for (let round = 0; round < rounds; round++) {
        ours.push(await row.measure(worker));
        theirs.push(await row.measure(comparator));
      }
      for (const [index, { id, ...figure }] of row.figures.entries())
        report.add({
          id,
          ...figure,
          ours: ours.map((all) => all[index]),
          theirs: theirs.map((all) => all[index]),
        });
    }
    const loads = sides.map(({ url }) => wrk(url, 16, 3));
    await delay(settleMs);
    const [ours, theirs] = sides.map(({ pid }) => memoryOf(pid));
    await Promise.all(loads);
    report.add({
      id: 'memory-busy',
      title: 'memory, 16 connections at work',
      unit: 'MB',
      ours: [ours],
      theirs: [theirs],
    });
    await alone(report, rounds, worker);
  } finally {
    for (const side of sides) await side.close();
  }
}

/** Until the runtime has compiled what it will: every kind of request, the small one for as long as that takes. */
async function warmUp(sides) {
  for (const { url } of sides) {
    await echo(url, 8_000_000, 2);
    await echo(url, 1_000_000, 20);
    await echo(url, 100, 200);
    await wrk(url, 128, 2);
    await wrk(url, 32, 4);
    for (let run = 0; run < 8; run++) await wrk(url, 1, 2);
  }
}

const rows = [
  {
    measure: async ({ url }) => {
      const { p50, p99 } = await wrk(url, 1, 2);
      return [p50, p99];
    },
    figures: [
      { id: 'add-1-p50', title: 'add, 1 connection, p50', unit: 'ms', limit: 0.8 },
      { id: 'add-1-p99', title: 'add, 1 connection, p99', unit: 'ms', limit: 1.5 },
    ],
  },
  ...[8, 32, 128].map((connections) => ({
    measure: async ({ url }) => {
      const { perSecond, p99 } = await wrk(url, connections, 3);
      return [perSecond, p99];
    },
    figures: [
      {
        id: `add-${connections}-rate`,
        title: `add, ${connections} connections, requests/s`,
        unit: '/s',
        isRate: true,
        ...(connections === 32 && { limit: 2.1 }),
      },
      { id: `add-${connections}-p99`, title: `add, ${connections} connections, p99`, unit: 'ms' },
    ],
  })),
  ...[
    [100, '100 B', 200, undefined],
    [1_000_000, '1 MB', 9, 1.1],
    [8_000_000, '8 MB', 3, 1.1],
  ].map(([bytes, size, times, limit]) => ({
    measure: async ({ url }) => [await echo(url, bytes, times)],
    figures: [{ id: `echo-${bytes}`, title: `${size} echoed, p50`, unit: 'ms', limit }],
  })),
];

/** What has nothing to be compared with. */
async function alone(report, rounds, worker) {
  const sleepers = [];
  for (let round = 0; round < rounds; round++) sleepers.push(await eightSleepers(worker.url));
  report.add({
    id: 'sleepers',
    title: '8 × sleep 0.2 s at once',
    unit: 'ms',
    ours: sleepers.map(({ ms }) => ms),
  });
  report.add({
    id: 'sleepers-ping',
    title: '/ping meanwhile, p99',
    unit: 'ms',
    ours: sleepers.map(({ pingP99 }) => pingP99),
  });
  const { extra } = await installedDependencies(worker.url, 200);
  report.add({ id: 'installed', title: 'packages that are installed, extra', unit: 'ms', ours: [extra] });
}

/** What more runners cost and bring. */
export async function runners(report, rounds) {
  for (const count of [1, 2, 4, 8]) {
    const worker = await startWorker({ FLASH_MAX_RUNNERS: String(count) });
    try {
      await wrk(worker.url, 16, 4);
      const rates = [];
      for (let round = 0; round < rounds; round++) rates.push((await wrk(worker.url, 16, 2)).perSecond);
      const title = `${count} runner${count > 1 ? 's' : ''}, 16 connections`;
      report.add({
        id: `runners-${count}-rate`,
        title: `${title}, requests/s`,
        unit: '/s',
        ours: rates,
        isRate: true,
      });
      await delay(settleMs);
      report.add({
        id: `runners-${count}-memory`,
        title: `${title}, memory after`,
        unit: 'MB',
        ours: [memoryOf(worker.pid)],
      });
    } finally {
      await worker.close();
    }
  }
}

/** Supervisor, zygote and one runner, idle. */
export async function idleMemory(report, rounds) {
  const all = [];
  for (let round = 0; round < rounds; round++) {
    const worker = await startWorker();
    await delay(settleMs);
    all.push(memoryOf(worker.pid));
    await worker.close();
  }
  report.add({
    id: 'memory',
    title: 'supervisor, zygote and one runner, idle',
    unit: 'MB',
    ours: all,
    most: 90,
  });
  return median(all);
}
