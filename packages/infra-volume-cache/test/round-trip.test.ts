import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CacheSession } from '../src/process/cache-session.ts';
import { describeTree, make, tree } from './tree.ts';
import { put, Volume } from './volume.ts';

let volume: Volume;

afterEach(() => volume.remove());

function session(root: string, options: Parameters<Volume['options']>[1] = {}): CacheSession {
  return new CacheSession(volume.options(root, { ...options, threads: 1 }), (line) =>
    volume.warnings.push(line),
  );
}

describe('what is kept on the volume comes back as it was', () => {
  it('whatever is in the tree, and after segments were merged', async () => {
    await fc.assert(
      fc.asyncProperty(tree, tree, async (one, other) => {
        volume = new Volume();
        try {
          const root = volume.newRoot();
          mkdirSync(join(root, 'one'));
          make(join(root, 'one'), one);
          const writer = session(root, { segmentBytes: 200_000, bigFileBytes: 250_000 });
          writer.sync(false);
          mkdirSync(join(root, 'other'));
          make(join(root, 'other'), other);
          writer.sync(false);
          const target = volume.newRoot();
          await session(target).hydrate();
          expect(describeTree(target)).toEqual(describeTree(root));
          session(volume.newRoot(), {
            compactAt: 2,
            graceMs: 0,
            bigFileBytes: 1e9,
            segmentBytes: 1e9,
          }).maintain();
          const merged = volume.newRoot();
          await session(merged).hydrate();
          expect(describeTree(merged)).toEqual(describeTree(root));
          expect(volume.warnings).toEqual([]);
        } finally {
          await volume.remove();
        }
      }),
      { numRuns: 60, endOnFailure: true },
    );
  });

  it('as a tar archive that tar itself reads', () => {
    volume = new Volume();
    const root = volume.newRoot();
    const [sample] = fc.sample(
      tree.filter(({ children }) => children.length > 5),
      { seed: 5, numRuns: 1 },
    );
    make(root, sample as never);
    session(root).sync(false);
    const [archive] = readdirSync(volume.segments).filter((name) => name.endsWith('.tar'));
    const out = volume.newRoot();
    execFileSync('tar', ['xpf', join(volume.segments, archive ?? ''), '-C', out]);
    // Tar knows no parts of a second here; and what was sparse is written as its pieces.
    const names = (directory: string): string[] => [...describeTree(directory).keys()];
    expect(names(out)).toEqual(names(root));
  });

  it('a sparse file keeps its holes, on the volume and after', async () => {
    volume = new Volume();
    const root = volume.newRoot();
    execFileSync('truncate', ['-s', '600M', join(root, 'sparse')]);
    execFileSync('dd', [
      'if=/dev/urandom',
      `of=${join(root, 'sparse')}`,
      'bs=1M',
      'count=2',
      'seek=300',
      'conv=notrunc',
      'status=none',
    ]);
    session(root).sync(false);
    const [archive] = readdirSync(volume.segments).filter((name) => name.endsWith('.tar'));
    expect(statSync(join(volume.segments, archive ?? '')).size).toBeLessThan(3e6);
    const target = volume.newRoot();
    await session(target).hydrate();
    const { size, blocks } = statSync(join(target, 'sparse'));
    expect(size).toBe(600 * 1024 ** 2);
    expect(blocks * 512).toBeLessThan(4e6);
    execFileSync('cmp', [join(root, 'sparse'), join(target, 'sparse')]);
  });

  it('a big file is a segment of its own, and never written again', () => {
    volume = new Volume();
    const root = volume.newRoot();
    const options = { bigFileBytes: 1e6, compactAt: 2, graceMs: 0 };
    put(root, 'hub/blobs/model', Buffer.alloc(2_000_000, 1));
    const writer = session(root, options);
    writer.sync(false);
    const big = readdirSync(volume.segments).filter((name) => name.endsWith('.tar'));
    const inode = (name: string): number => statSync(join(volume.segments, name)).ino;
    const before = big.map((name) => [name, inode(name)]);
    for (let round = 0; round < 5; round++) {
      put(root, `small/${round}`, 'x');
      writer.sync(false);
      writer.maintain();
    }
    const all = readdirSync(volume.segments).filter((name) => name.endsWith('.tar'));
    const kept = before.filter(
      ([name, ino]) => all.includes(name as string) && inode(name as string) === ino,
    );
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.some(([name]) => statSync(join(volume.segments, name as string)).size > 2_000_000)).toBe(
      true,
    );
  });
});

describe('the original’s tarball', () => {
  it('hydrates: made by find and tar, extended by tar -A, with names from the root', async () => {
    volume = new Volume();
    const root = volume.newRoot();
    const base = mkdtempSync(join(tmpdir(), 'flash-original-'));
    put(root, 'hub/models--a/blobs/one', Buffer.alloc(100_000, 1));
    put(root, 'uv/wheels/two', 'second');
    execFileSync('ln', ['-s', '../blobs/one', join(root, 'hub/models--a/link')]);
    mkdirSync(join(volume.path, '.cache'));
    const tarball = join(volume.path, '.cache/cache-test.tar');
    const sh = (script: string): unknown => execFileSync('bash', ['-ec', script], { cwd: base });
    sh(`find ${root} -type f -o -type l | tar cPf ${tarball} -T -; touch marker; sleep 0.05`);
    put(root, 'later/three', 'third');
    writeFileSync(join(root, 'uv/wheels/two'), 'second, changed');
    sh(`find ${root} -newer marker -type f | tar cPf new.tar -T -; tar -A -f ${tarball} new.tar`);
    // The worker's cache directory is where the original's was.
    const before = describeTree(root);
    rmSync(root, { recursive: true });
    const report = await session(root).hydrate();
    expect(report).toMatchObject({ damaged: 0 });
    const seconds = (tree: Map<string, string>): string[] =>
      [...tree].flatMap(([path, text]) =>
        text.startsWith('directory') ? [] : `${path} ${text.replace(/\d{13}/, '')}`,
      );
    expect(seconds(describeTree(root))).toEqual(seconds(before));
    rmSync(base, { recursive: true });
  });

  it('is read as far as it goes when it is cut off', async () => {
    volume = new Volume();
    const root = volume.newRoot();
    for (let index = 0; index < 20; index++) put(root, `file-${index}`, Buffer.alloc(10_000, index));
    mkdirSync(join(volume.path, '.cache'));
    const tarball = join(volume.path, '.cache/cache-test.tar');
    execFileSync('bash', ['-ec', `tar cf ${tarball} -C ${root} .; truncate -s 100000 ${tarball}`]);
    const target = volume.newRoot();
    const { files } = await session(target).hydrate();
    expect(files).toBeGreaterThan(5);
    expect(volume.warnings.join()).toContain('read as far as it goes');
    for (const [path, text] of describeTree(target))
      if (text.startsWith('file'))
        expect(describeTree(root).get(path)?.split(' ').at(-1)).toBe(text.split(' ').at(-1));
  });
});
