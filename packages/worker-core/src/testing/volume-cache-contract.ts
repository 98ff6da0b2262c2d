import type { VolumeCache } from '../ports/volume-cache.ts';
import { type ContractCase, ensure } from './contract-case.ts';

/** A worker's cache, and its cache directory. */
export interface CacheUnderTest {
  readonly cache: VolumeCache;
  readonly write: (path: string, text: string) => Promise<void>;
  /** `undefined` when there is no such file. */
  readonly read: (path: string) => Promise<string | undefined>;
}

/** One volume, and workers that share it. */
export interface VolumeUnderTest {
  newWorker(): Promise<CacheUnderTest>;
  /** From now on the volume can't be read or written. */
  lose(): Promise<void>;
}

/** What every VolumeCache does. */
export function volumeCacheContract(make: () => Promise<VolumeUnderTest>): ContractCase[] {
  const check = (name: string, run: (volume: VolumeUnderTest) => Promise<void>): ContractCase => ({
    name,
    run: async () => run(await make()),
  });
  const nobody = (): void => {};
  return [
    check('brings to one worker what another has kept', async (volume) => {
      const one = await volume.newWorker();
      await one.write('a/b.txt', 'first');
      await one.cache.sync();
      await one.write('c.txt', 'second');
      await one.cache.sync();
      const other = await volume.newWorker();
      const lines: string[] = [];
      await other.cache.hydrate((line) => lines.push(line));
      ensure((await other.read('a/b.txt')) === 'first', 'the first sync’s file is there');
      ensure((await other.read('c.txt')) === 'second', 'the second sync’s file is there');
      ensure(lines.length === 1, `one line tells of it, not ${lines.length}`);
      await Promise.all([one.cache.close(), other.cache.close()]);
    }),
    check('hydrates once', async (volume) => {
      const one = await volume.newWorker();
      await one.write('a', 'x');
      await one.cache.sync();
      const other = await volume.newWorker();
      await other.cache.hydrate(nobody);
      const lines: string[] = [];
      await Promise.all([1, 2, 3].map(() => other.cache.hydrate((line) => lines.push(line))));
      ensure(lines.length === 0, 'later calls have nothing to tell');
      await Promise.all([one.cache.close(), other.cache.close()]);
    }),
    check('keeps the files of all workers', async (volume) => {
      const workers = await Promise.all([1, 2, 3].map(() => volume.newWorker()));
      await Promise.all(workers.map(({ write }, index) => write(`of/${index}`, `worker ${index}`)));
      await Promise.all(workers.map(({ cache }) => cache.sync()));
      const reader = await volume.newWorker();
      await reader.cache.hydrate(nobody);
      for (const index of workers.keys())
        ensure(
          (await reader.read(`of/${index}`)) === `worker ${index}`,
          `the file of worker ${index} is there`,
        );
      await Promise.all([...workers, reader].map(({ cache }) => cache.close()));
    }),
    check('keeps what is new when it is closed, and nothing after', async (volume) => {
      const one = await volume.newWorker();
      await one.cache.hydrate(nobody);
      await one.write('early', 'x');
      one.cache.noteRun();
      await one.cache.close();
      await one.write('late', 'y');
      await one.cache.sync();
      const other = await volume.newWorker();
      await other.cache.hydrate(nobody);
      ensure((await other.read('early')) === 'x', 'what was there at the close is kept');
      ensure((await other.read('late')) === undefined, 'what came after is not');
      await other.cache.close();
    }),
    check('never rejects when the volume is lost', async (volume) => {
      const one = await volume.newWorker();
      await one.write('a', 'x');
      await one.cache.sync();
      await volume.lose();
      await one.write('b', 'y');
      await one.cache.sync();
      await one.cache.hydrate(nobody);
      await one.cache.close();
      ensure((await one.read('b')) === 'y', 'the worker’s own files are untouched');
    }),
  ];
}
