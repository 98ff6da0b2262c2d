import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { RestorationReport, Share } from '../restoration.ts';
import type { RestoreAnswer } from './restore-thread.ts';

const isSource = import.meta.url.endsWith('.ts');
const thread = fileURLToPath(
  new URL(isSource ? './restore-thread.ts' : './restore-thread.js', import.meta.url),
);

/**
 * Restores shares in several threads at once, and calls `onRestored` as each is done.
 *
 * @throws Error of the first share that failed; then no thread is at work any more.
 */
export async function restoreInThreads<S extends Share>(
  shares: readonly S[],
  threads: number,
  onRestored: (share: S, report: RestorationReport) => void,
): Promise<void> {
  const waiting = shares.values();
  const workers: Worker[] = [];
  const work = async (): Promise<void> => {
    // Small heaps: a thread holds one share.
    const worker = new Worker(thread, { resourceLimits: { maxYoungGenerationSizeMb: 4 } });
    workers.push(worker);
    for (const share of waiting) onRestored(share, await ask(worker, share));
  };
  try {
    await Promise.all(Array.from({ length: Math.min(threads, shares.length) }, work));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

async function ask(worker: Worker, share: Share): Promise<RestorationReport> {
  const done = new AbortController();
  const { signal } = done;
  try {
    const ended = once(worker, 'exit', { signal }).then(([code]) => {
      throw new Error(`a thread of the cache ended with code ${code}`);
    });
    const answered = once(worker, 'message', { signal });
    worker.postMessage(share);
    const [answer] = (await Promise.race([answered, ended])) as [RestoreAnswer];
    if (answer.kind === 'report') return answer.report;
    throw Object.assign(new Error(answer.message), { code: answer.code });
  } finally {
    done.abort();
  }
}
