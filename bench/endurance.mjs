import { setTimeout as delay } from 'node:timers/promises';
import { post, stateOf } from './figures.mjs';
import { startWorker } from './servers.mjs';

const add = JSON.stringify({ function_name: 'f', function_code: 'def f(): return 1', args: [] });
const crash = JSON.stringify({
  function_name: 'f',
  function_code: 'import os\ndef f(): os._exit(1)',
  args: [],
});

/** 10 000 requests, then 200 crashes: what the supervisor keeps. */
export async function endurance(report) {
  const worker = await startWorker();
  const batch = async (body, count, width) => {
    for (let index = 0; index < count; index += width)
      await Promise.all(Array.from({ length: width }, () => post(worker.url, body)));
  };
  try {
    await batch(add, 16, 8);
    const cold = stateOf(worker.pid);
    await batch(add, 1000, 8);
    const before = stateOf(worker.pid);
    await batch(add, 10_000, 8);
    await batch(crash, 200, 4);
    await batch(add, 100, 1);
    await delay(1000);
    const after = stateOf(worker.pid);
    const kept = [
      ['grown', 'memory grown by 10 000 requests and 200 crashes', 'MB', after.rss - before.rss],
      ['grown-cold', 'the same from the cold start', 'MB', after.rss - cold.rss],
      ['descriptors', 'descriptors grown', '', after.descriptors - before.descriptors],
      ['zombies', 'zombies', '', after.zombies],
    ];
    for (const [id, title, unit, value] of kept) report.add({ id, title, unit, ours: [value] });
  } finally {
    await worker.close();
  }
}
