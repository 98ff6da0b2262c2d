import type { VolumeCache } from '../ports/volume-cache.ts';
import { type ContractCase, ensure } from './contract-case.ts';

/** A worker's cache, and its cache directory. */
export interface CacheUnderTest {
  readonly cache: VolumeCache;
  readonly write: (path: string, text: string) => Promise<void>;
  /** `undefined` when there is no such file. */
  readonly read: (path: string) => Promise<string | undefined>;
  /** Makes a directory outside the cache that holds this. @returns its path. */
  readonly makeDirectory: (text: string) => Promise<string>;
  /** `undefined` when there is no such directory. */
  readonly readDirectory: (path: string) => Promise<string | undefined>;
  /** A path where nothing is. */
  readonly newPath: () => string;
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
  const noListener = (): void => {};
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
      await other.cache.hydrate(noListener);
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
      await reader.cache.hydrate(noListener);
      for (const index of workers.keys())
        ensure(
          (await reader.read(`of/${index}`)) === `worker ${index}`,
          `the file of worker ${index} is there`,
        );
      await Promise.all([...workers, reader].map(({ cache }) => cache.close()));
    }),
    check('keeps what is new when it is closed, and nothing after', async (volume) => {
      const one = await volume.newWorker();
      await one.cache.hydrate(noListener);
      await one.write('early', 'x');
      one.cache.noteRun();
      await one.cache.close();
      await one.write('late', 'y');
      await one.cache.sync();
      const other = await volume.newWorker();
      await other.cache.hydrate(noListener);
      ensure((await other.read('early')) === 'x', 'what was there at the close is kept');
      ensure((await other.read('late')) === undefined, 'what came after is not');
      await other.cache.close();
    }),
    check('brings downloads of package tools only when they are asked for', async (volume) => {
      const one = await volume.newWorker();
      await one.write('uv/wheel', 'package');
      await one.write('hub/model', 'data');
      await one.cache.sync();
      const other = await volume.newWorker();
      await other.cache.hydrate(noListener);
      ensure((await other.read('hub/model')) === 'data', 'data is there');
      ensure((await other.read('uv/wheel')) === undefined, 'packages are not');
      await other.cache.hydrate(noListener, 'packages');
      ensure((await other.read('uv/wheel')) === 'package', 'packages are there when they were asked for');
      await Promise.all([one.cache.close(), other.cache.close()]);
    }),
    check('keeps directories under a name, once, and brings them whole', async (volume) => {
      const one = await volume.newWorker();
      await one.cache.keep('first', await one.makeDirectory('of one'));
      await one.cache.keep('first', await one.makeDirectory('another'));
      await one.cache.keep('second', await one.makeDirectory('of two'));
      const other = await volume.newWorker();
      ensure([...(await other.cache.kept())].sort().join() === 'first,second', 'their names are told');
      const path = other.newPath();
      const told: string[] = [];
      const isThere = await other.cache.fetch('first', path, {
        first: ['**/file'],
        onFirst: () => told.push('first'),
        last: ['**/tests/**'],
        onUsable: () => told.push('usable'),
      });
      ensure(isThere && told.join() === 'first,usable', 'it is brought, and told how far it has come');
      ensure((await other.readDirectory(path)) === 'of one', 'it is the one that was kept first');
      const nothing = other.newPath();
      ensure(!(await other.cache.fetch('third', nothing)), 'what no worker kept is not brought');
      ensure((await other.readDirectory(nothing)) === undefined, 'and nothing is there');
      await Promise.all([one.cache.close(), other.cache.close()]);
    }),
    check('never rejects when the volume is lost', async (volume) => {
      const one = await volume.newWorker();
      await one.write('a', 'x');
      await one.cache.sync();
      await volume.lose();
      await one.write('b', 'y');
      await one.cache.sync();
      await one.cache.hydrate(noListener);
      await one.cache.keep('name', await one.makeDirectory('x'));
      ensure(!(await one.cache.fetch('name', one.newPath())), 'nothing is brought');
      ensure((await one.cache.kept()).length === 0, 'nothing is kept');
      await one.cache.close();
      ensure((await one.read('b')) === 'y', 'the worker’s own files are untouched');
    }),
  ];
}
