import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { put, Volume } from './volume.ts';

const ignoreLine = (): void => {};
const MB = 1e6;
let volume: Volume;

beforeEach(() => {
  volume = new Volume();
});
// One that was stopped hears no wish to end, and would keep the test run from its own.
afterAll(() => {
  for (const pid of children()) process.kill(pid, 'SIGKILL');
});
afterEach(() => volume.remove());

const canMount = ((): boolean => {
  const probe = new Volume();
  const can = probe.mount(MB);
  void probe.remove();
  return can;
})();
const onMounted = canMount ? it : it.skip;

describe('a volume', () => {
  onMounted('that is full: it is said once, nothing is half written, and later it goes on', async () => {
    volume.mount(20 * MB);
    const root = volume.newRoot();
    const cache = volume.newCache(root);
    put(root, 'fits', Buffer.alloc(5 * MB, 1));
    await cache.sync();
    const before = readdirSync(volume.segments);
    put(root, 'too big', Buffer.alloc(30 * MB, 2));
    await cache.sync();
    await cache.sync();
    expect(volume.warnings.filter((line) => line.includes('FLASH_CACHE_MAX_BYTES'))).toHaveLength(1);
    expect(volume.warnings[0]).toContain('bytes free');
    expect(readdirSync(volume.segments)).toEqual(before);
    execFileSync('rm', [join(root, 'too big')]);
    put(root, 'small', 'x');
    await cache.sync();
    const reader = volume.newRoot();
    await volume.newCache(reader).hydrate(ignoreLine);
    expect(readdirSync(reader).sort()).toEqual(['fits', 'small']);
  });

  onMounted('that fills up while it is written: nothing is published by halves', async () => {
    volume.mount(20 * MB);
    const root = volume.newRoot();
    const other = volume.newRoot();
    put(root, 'a', Buffer.alloc(9 * MB, 1));
    put(other, 'b', Buffer.alloc(9 * MB, 2));
    put(volume.path, 'of another program', Buffer.alloc(8 * MB));
    // Each sees room for its own; there is none for both.
    const [one, two] = [volume.newCache(root), volume.newCache(other)];
    await Promise.all([one.sync(), two.sync()]);
    expect(volume.warnings.length).toBeGreaterThan(0);
    const reader = volume.newRoot();
    const process = await volume.newProcess(reader);
    expect(await process.ask('hydrate', undefined)).toMatchObject({ damaged: 0 });
    expect(readdirSync(join(volume.segments, 'tmp'))).toEqual([]);
  });

  onMounted('that can only be read: it hydrates, and one warning tells of the sync', async () => {
    volume.mount(20 * MB);
    const root = volume.newRoot();
    put(root, 'a', 'kept');
    const writer = volume.newCache(root);
    await writer.sync();
    await writer.close();
    volume.remount('ro');
    const target = volume.newRoot();
    const cache = volume.newCache(target);
    await cache.hydrate(ignoreLine);
    expect(readFileSync(join(target, 'a'), 'utf8')).toBe('kept');
    put(target, 'b', 'new');
    await cache.sync();
    await cache.sync();
    await cache.close();
    expect(volume.warnings).toHaveLength(1);
    expect(volume.warnings[0]).toMatch(/read-only|EROFS/);
  });

  onMounted('that vanishes while in use: the mount point is not taken for it', async () => {
    volume.mount(20 * MB);
    const root = volume.newRoot();
    const cache = volume.newCache(root);
    put(root, 'a', 'x');
    await cache.sync();
    volume.unmount();
    put(root, 'b', 'y');
    await cache.sync();
    await cache.sync();
    await cache.close();
    expect(readdirSync(volume.path)).toEqual([]);
    expect(volume.warnings).toHaveLength(1);
    expect(volume.warnings[0]).toContain('not mounted');
    expect(readFileSync(join(root, 'b'), 'utf8')).toBe('y');
  });

  it('slow to a crawl: the request goes on without it, and the shutdown does not wait for ever', async () => {
    const root = volume.newRoot();
    put(root, 'a', 'x');
    const writer = volume.newCache(root);
    await writer.sync();
    await writer.close();
    const target = volume.newRoot();
    const cache = volume.newCache(target, {
      FLASH_CACHE_HYDRATE_TIMEOUT_MS: '200',
      FLASH_CACHE_CLOSE_MS: '300',
    });
    const stopped = stopChildren();
    try {
      // The process that is stopped never answers.
      const lines: string[] = [];
      await cache.hydrate((line) => lines.push(line));
      expect(lines.join()).toContain('FLASH_CACHE_HYDRATE_TIMEOUT_MS');
      await cache.close();
      expect(volume.warnings.join()).toContain('FLASH_CACHE_CLOSE_MS');
    } finally {
      clearInterval(stopped);
    }
  });

  it('too slow for a directory that is wanted: the request goes on, and nothing comes later', async () => {
    const source = volume.newRoot();
    put(source, 'file', Buffer.alloc(MB));
    const writer = volume.newCache(volume.newRoot());
    await writer.keep('one', source);
    await writer.close();
    const cache = volume.newCache(volume.newRoot(), { FLASH_CACHE_HYDRATE_TIMEOUT_MS: '300' });
    const target = join(volume.newRoot(), 'target');
    const stopped = stopChildren();
    try {
      expect(await cache.fetch('one', target)).toBe(false);
    } finally {
      clearInterval(stopped);
    }
    expect(volume.warnings.join()).toContain('FLASH_CACHE_HYDRATE_TIMEOUT_MS');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(existsSync(target)).toBe(false);
  });

  it('with a damaged segment: what is damaged is skipped with a warning, the rest comes', async () => {
    const root = volume.newRoot();
    const writer = await volume.newProcess(root);
    for (let index = 0; index < 10; index++) put(root, `file-${index}`, Buffer.alloc(5000, index));
    await writer.ask('sync', false);
    put(root, 'other', 'fine');
    await writer.ask('sync', false);
    const [first = ''] = readdirSync(volume.segments)
      .filter((name) => name.endsWith('.tar'))
      .sort();
    const descriptor = openSync(join(volume.segments, first), 'r+');
    writeSync(descriptor, Buffer.from('damage'), 0, 6, 2000);
    closeSync(descriptor);
    const target = volume.newRoot();
    const reader = await volume.newProcess(target);
    expect(await reader.ask('hydrate', undefined)).toMatchObject({ files: 10, damaged: 1 });
    expect(volume.warnings.join()).toContain('damaged and skipped');
    expect(existsSync(join(target, 'other'))).toBe(true);
    // A worker that needs the damaged file fetches it anew, and keeps it again.
    put(target, 'file-0', Buffer.alloc(5000, 0));
    await reader.ask('sync', false);
    const last = volume.newRoot();
    await (await volume.newProcess(last)).ask('hydrate', undefined);
    expect(readdirSync(last)).toHaveLength(11);
  });

  it('with a manifest that can’t be read: it is skipped with a warning', async () => {
    const root = volume.newRoot();
    const writer = await volume.newProcess(root);
    put(root, 'a', 'x');
    await writer.ask('sync', false);
    put(volume.segments, '000000000000001-000000000000.json', '{"flashCacheSegment":1,"sha256":"?"}\n{}\n');
    put(volume.segments, '000000000000002-000000000000.json', '');
    const target = volume.newRoot();
    const reader = await volume.newProcess(target);
    expect(await reader.ask('hydrate', undefined)).toMatchObject({ files: 1 });
    expect(
      volume.warnings.filter(
        (line) => line.includes('manifest can’t be read') || line.includes("manifest can't be read"),
      ),
    ).toHaveLength(2);
  });

  it('keeps to the budget: the least recently used segments go first', async () => {
    const root = volume.newRoot();
    const options = { maxBytes: 3 * MB, bigFileBytes: MB };
    const writer = await volume.newProcess(root, options);
    for (let index = 0; index < 5; index++) {
      put(root, `model-${index}`, Buffer.alloc(1.1 * MB, index));
      await writer.ask('sync', false);
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    expect(await writer.ask('maintain', undefined)).toMatchObject({ evicted: 3 });
    const target = volume.newRoot();
    await (await volume.newProcess(target)).ask('hydrate', undefined);
    expect(readdirSync(target).sort()).toEqual(['model-3', 'model-4']);
    // What went is still on the writer's disk; it is not sent there and back for ever.
    expect(await writer.ask('sync', true)).toMatchObject({ files: 0 });
  });

  it('keeps directories to the same budget', async () => {
    const writer = await volume.newProcess(volume.newRoot(), { maxBytes: 3 * MB });
    for (let index = 0; index < 5; index++) {
      const directory = volume.newRoot();
      put(directory, 'file', Buffer.alloc(1.1 * MB, index));
      expect(await writer.ask('keep', { name: `environment-${index}`, directory })).toBe(1.1 * MB);
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    expect(await writer.ask('maintain', undefined)).toMatchObject({ evicted: 3 });
    expect(await writer.ask('kept', undefined)).toEqual(['environment-4', 'environment-3']);
  });

  it('with a directory that is damaged: nothing of it comes, and it can be kept anew', async () => {
    const source = volume.newRoot();
    for (let index = 0; index < 10; index++) put(source, `file-${index}`, Buffer.alloc(5000, index));
    const process = await volume.newProcess(volume.newRoot());
    await process.ask('keep', { name: 'one', directory: source });
    const directory = join(volume.segments, 'environments/one');
    const [archive = ''] = readdirSync(directory).filter((name) => name.endsWith('.tar'));
    const descriptor = openSync(join(directory, archive), 'r+');
    writeSync(descriptor, Buffer.from('damage'), 0, 6, 9000);
    closeSync(descriptor);
    const target = join(volume.newRoot(), 'target');
    expect(await process.ask('fetch', { name: 'one', directory: target })).toBe(false);
    expect(existsSync(target)).toBe(false);
    expect(await process.ask('keep', { name: 'one', directory: source })).toBe(50_000);
    expect(await process.ask('fetch', { name: 'one', directory: target })).toBe(true);
    expect(readdirSync(target)).toHaveLength(10);
  });

  it('with damage in what comes last: what was told to be usable stays, and it can be kept anew', async () => {
    const source = volume.newRoot();
    put(source, 'a', 'first');
    put(source, 'b/code', Buffer.alloc(5000, 1));
    put(source, 'b/tests/one', Buffer.alloc(5000, 2));
    const process = await volume.newProcess(volume.newRoot());
    await process.ask('keep', { name: 'one', directory: source });
    const directory = join(volume.segments, 'environments/one');
    const place = { name: 'one', first: ['a'], last: ['*/tests/**'] };
    const fetched = async (): Promise<{ isWhole: boolean; stages: string[]; target: string }> => {
      const target = join(volume.newRoot(), 'target');
      const stages: string[] = [];
      const onStage = (stage: string): void => {
        const names = readdirSync(target, { recursive: true }).sort();
        stages.push(`${stage}: ${names.join(' ')}`);
      };
      const isWhole = await process.ask('fetch', { ...place, directory: target }, onStage);
      return { isWhole, stages, target };
    };
    const whole = await fetched();
    expect(whole.isWhole).toBe(true);
    // The second one may have gone on by the time it is heard.
    expect(whole.stages[0]).toMatch(/^first: a/);
    expect(whole.stages[1]).toMatch(/^usable: a b b\/code/);
    const [archive = ''] = readdirSync(directory).filter((name) => name.endsWith('.tar'));
    const bytes = readFileSync(join(directory, archive));
    bytes.write('damage', bytes.indexOf(Buffer.alloc(5000, 2)) + 100);
    writeFileSync(join(directory, archive), bytes);
    const partial = await fetched();
    expect(partial.isWhole).toBe(false);
    expect(readdirSync(join(partial.target, 'b')).sort()).toEqual(['code', 'tests']);
    expect(readdirSync(join(partial.target, 'b/tests'))).toEqual([]);
    expect(await process.ask('keep', { name: 'one', directory: source })).toBeGreaterThan(0);
    expect((await fetched()).isWhole).toBe(true);
  });

  it('refuses a name that leads elsewhere', async () => {
    const process = await volume.newProcess(volume.newRoot());
    for (const name of ['../escape', '', '.', 'a/b'])
      await expect(process.ask('fetch', { name, directory: join(volume.newRoot(), 'x') })).rejects.toThrow();
  });

  onMounted('that the cache fills to three quarters: it is said once', async () => {
    volume.mount(20 * MB);
    const root = volume.newRoot();
    const cache = volume.newCache(root);
    for (let index = 0; index < 3; index++) {
      put(root, `file-${index}`, Buffer.alloc(5.5 * MB, index));
      await cache.sync();
    }
    expect(volume.warnings.filter((line) => line.includes('% of the volume'))).toHaveLength(1);
  });
});

/** Keeps processes of caches that start from now on from going on. */
function stopChildren(): NodeJS.Timeout {
  return setInterval(() => {
    for (const pid of children()) process.kill(pid, 'SIGSTOP');
  }, 2);
}

/** The cache's processes that this one has started. */
const children = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const [, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
        return (
          Number(parent) === process.pid &&
          readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('process/main')
        );
      } catch {
        return false;
      }
    });
