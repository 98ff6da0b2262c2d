import { createHash, randomInt } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { CacheProcess } from '../src/cache-process.ts';
import { put, Volume } from './volume.ts';

let volume: Volume;

afterEach(() => volume.remove());

/** Small segments that are merged and taken away all the time: what others read goes away under their hands. */
const restless = { segmentBytes: 1_000_000, bigFileBytes: 200_000, compactAt: 3, graceMs: 100, threads: 2 };

/** A file's content follows from its path, so that every reader can tell whether it is the right one. */
function contentOf(path: string): Buffer {
  const digest = createHash('sha256').update(path).digest();
  const size = digest.readUInt16LE(0) * (digest.readUInt8(2) < 16 ? 5 : 0.2);
  return Buffer.alloc(Math.ceil(size), digest);
}

function missingOrWrong(root: string, paths: Iterable<string>): string[] {
  return [...paths].filter(
    (path) => !existsSync(join(root, path)) || !readFileSync(join(root, path)).equals(contentOf(path)),
  );
}

describe('many workers of one endpoint', () => {
  it('sync, hydrate and tidy one volume at once for 200 rounds: every file arrives, none is corrupt', async () => {
    volume = new Volume();
    const rounds = 200;
    const workers = await Promise.all(
      [0, 1, 2, 3].map(async (number) => {
        const root = volume.newRoot();
        return { number, root, cache: await volume.newProcess(root, restless), written: [] as string[] };
      }),
    );
    const reports: unknown[] = [];
    await Promise.all(
      workers.map(async ({ number, root, cache, written }) => {
        for (let round = 0; round < rounds; round++) {
          for (let index = 0; index < 3; index++) {
            const path = `worker-${number}/${round % 10}/${round}-${index}`;
            put(root, path, contentOf(path));
            written.push(path);
          }
          // Everybody writes this one, each its own way: one of them wins, whole.
          put(root, 'shared', contentOf(`shared-${number}-${round}`));
          await cache.ask('sync', false);
          if (round % 3 === number % 3) reports.push(await cache.ask('maintain', undefined));
          if (round % 20 === number) await cache.ask('hydrate', undefined);
        }
      }),
    );
    const all = workers.flatMap(({ written }) => written);
    expect(all).toHaveLength(4 * rounds * 3);
    for (const { root, cache } of workers) {
      await cache.ask('hydrate', undefined);
      expect(missingOrWrong(root, all)).toEqual([]);
    }
    const late = volume.newRoot();
    await (await volume.newProcess(late)).ask('hydrate', undefined);
    expect(missingOrWrong(late, all)).toEqual([]);
    const shared = readFileSync(join(late, 'shared'));
    const candidates = workers.flatMap(({ number }) =>
      Array.from({ length: rounds }, (_, round) => contentOf(`shared-${number}-${round}`)),
    );
    expect(candidates.some((content) => content.equals(shared))).toBe(true);
    expect(volume.warnings).toEqual([]);
    // The workers did tidy: of more than 800 segments a part is left once no worker writes any more.
    expect(reports.filter((report) => report !== undefined).length).toBeGreaterThan(5);
    for (let round = 0; round < 3; round++) {
      await pause(2 * restless.graceMs);
      await workers[0]?.cache.ask('maintain', undefined);
    }
    expect(readdirSync(volume.segments).filter((name) => name.endsWith('.json')).length).toBeLessThan(300);
  }, 600_000);
});

describe('a worker that is killed', () => {
  it('100 times in the midst of sync, hydrate or tidying: the volume stays readable, nothing published is lost', async () => {
    volume = new Volume();
    const published = new Set<string>();
    const landed = { sync: 0, hydrate: 0, maintain: 0 };
    /** What each took when it was last let be. */
    const tookMs = { sync: 5, hydrate: 20, maintain: 5 };
    for (let kill = 0; kill < 100; kill++) {
      const root = volume.newRoot();
      const cache = await volume.newProcess(root, restless);
      await cache.ask('maintain', undefined).catch(() => undefined);
      const written = Array.from({ length: 8 }, (_, index) => `round-${kill}/${index}`);
      for (const path of written) put(root, path, contentOf(path));
      const what = (['sync', 'hydrate', 'maintain'] as const)[kill % 3] ?? 'sync';
      if (what !== 'sync') {
        await cache.ask('sync', false);
        for (const path of written) published.add(path);
      }
      const startedAt = performance.now();
      const done = answered(cache, what).then((isDone) => {
        if (isDone) tookMs[what] = performance.now() - startedAt;
        return isDone;
      });
      await shortPause((randomInt(0, 1000) / 1000) * tookMs[what]);
      cache.kill();
      if (await done) {
        if (what === 'sync') for (const path of written) published.add(path);
      } else landed[what]++;
      if (kill % 10 === 9) {
        const reader = volume.newRoot();
        const report = await (await volume.newProcess(reader)).ask('hydrate', undefined);
        expect(report).toMatchObject({ damaged: 0, gone: 0 });
        expect(missingOrWrong(reader, published)).toEqual([]);
      }
      // What the killed one was writing is in its own directory at worst; a next worker there goes on from it.
      const next = await volume.newProcess(root, restless);
      await next.ask('hydrate', undefined);
      expect(missingOrWrong(root, published)).toEqual([]);
      expect(readdirSync(root).filter((name) => name.startsWith('.flash-'))).toEqual([]);
      next.kill();
    }
    expect(volume.warnings).toEqual([]);
    // The kills did come in the midst of it.
    expect(Object.entries(landed).filter(([, count]) => count < 5)).toEqual([]);
  }, 600_000);
});

/** Finer than a timer, whose millisecond is longer than some tidying takes. */
async function shortPause(ms: number): Promise<void> {
  for (const until = performance.now() + ms; performance.now() < until; ) await setImmediate();
}

function answered(cache: CacheProcess, what: 'sync' | 'hydrate' | 'maintain'): Promise<boolean> {
  return cache.ask(what, what === 'sync' ? false : (undefined as never)).then(
    () => true,
    () => false,
  );
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
