import { readdirSync } from 'node:fs';
import { readFile, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { volumeCacheContract } from '@flash/worker-core/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import { until } from '../../../scripts/lib/until.ts';
import { put, Volume } from './volume.ts';

const volumes: Volume[] = [];
const ignoreLine = (): void => {};

function newVolume(): Volume {
  const volume = new Volume();
  volumes.push(volume);
  return volume;
}

afterEach(async () => {
  for (const volume of volumes.splice(0)) await volume.remove();
});

describe('TarSegmentCache keeps the contract of VolumeCache', () => {
  const cases = volumeCacheContract(async () => {
    const volume = newVolume();
    return {
      async newWorker() {
        const root = volume.newRoot();
        return {
          cache: volume.newCache(root),
          write: async (path, text) => put(root, path, text),
          read: (path) => readFile(join(root, path), 'utf8').catch(() => undefined),
          makeDirectory: async (text) => {
            const directory = volume.newRoot();
            put(directory, 'deep/file', text);
            return directory;
          },
          readDirectory: (path) => readFile(join(path, 'deep/file'), 'utf8').catch(() => undefined),
          newPath: () => join(volume.newRoot(), 'new'),
        };
      },
      lose: () => rm(volume.path, { recursive: true }),
    };
  });
  for (const { name, run } of cases) it(name, run);
});

describe('TarSegmentCache', () => {
  it('does nothing without an endpoint or a volume', async () => {
    const volume = newVolume();
    const root = volume.newRoot();
    put(root, 'a', 'x');
    const cache = volume.newCache(root, { FLASH_VOLUME_DIR: '/nowhere/at/all' });
    const lines: string[] = [];
    await cache.hydrate((line) => lines.push(line));
    await cache.sync();
    cache.noteRun();
    await cache.close();
    expect([lines, volume.warnings]).toEqual([[], []]);
  });

  it('keeps what a run has added, some time after it', async () => {
    const volume = newVolume();
    const root = volume.newRoot();
    const cache = volume.newCache(root, { FLASH_CACHE_SYNC_DELAY_MS: '50' });
    put(root, 'model', 'weights');
    cache.noteRun();
    const reader = volume.newRoot();
    await until(async () => {
      const other = volume.newCache(reader);
      await other.hydrate(ignoreLine);
      await other.close();
      return (await readFile(join(reader, 'model'), 'utf8').catch(() => undefined)) === 'weights';
    });
  });

  it('stores a file once, for all workers', async () => {
    const volume = newVolume();
    const [one, other] = [volume.newRoot(), volume.newRoot()];
    for (const root of [one, other]) put(root, 'same', 'content');
    const first = await volume.newProcess(one);
    const second = await volume.newProcess(other);
    expect(await first.ask('sync', false)).toMatchObject({ files: 1 });
    expect(await second.ask('sync', false)).toMatchObject({ files: 0 });
    expect(await first.ask('sync', true)).toMatchObject({ files: 0 });
  });

  it('brings what is newer on the volume, and keeps what is newer on the disk', async () => {
    const volume = newVolume();
    const [one, other] = [volume.newRoot(), volume.newRoot()];
    put(one, 'older here', 'from the volume');
    put(one, 'newer here', 'from the volume');
    const writer = await volume.newProcess(one);
    await writer.ask('sync', false);
    put(other, 'older here', 'local');
    put(other, 'newer here', 'local');

    const now = Date.now() / 1000;
    await utimes(join(other, 'older here'), now - 100, now - 100);
    await utimes(join(other, 'newer here'), now + 100, now + 100);
    const reader = await volume.newProcess(other);
    expect(await reader.ask('hydrate', undefined)).toMatchObject({ files: 1 });
    expect(await readFile(join(other, 'older here'), 'utf8')).toBe('from the volume');
    expect(await readFile(join(other, 'newer here'), 'utf8')).toBe('local');
  });

  it('keeps no references of Hugging Face’s cache, and nothing that is excluded', async () => {
    const volume = newVolume();
    const root = volume.newRoot();
    for (const path of [
      'hub/m/refs/main',
      'hub/m/.no_exist/x/y',
      'hub/m/blobs/a',
      'b.incomplete',
      '.cache-last-hydrated',
      'c.tmp',
      'd/e.tmp',
    ])
      put(root, path, 'x');
    const writer = volume.newCache(root, { FLASH_CACHE_EXCLUDE: '*.tmp, **/*.incomplete' });
    await writer.sync();
    const target = volume.newRoot();
    await volume.newCache(target).hydrate(ignoreLine);

    const found = readdirSync(target, { recursive: true, withFileTypes: true });
    expect(found.flatMap((entry) => (entry.isFile() ? entry.name : [])).sort()).toEqual(['a', 'e.tmp']);
  });
});
