import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { KeptDirectories } from '../src/kept-directories.ts';
import { restore } from '../src/restoration.ts';
import { put } from './volume.ts';

const root = mkdtempSync(join(tmpdir(), 'flash-kept-'));
afterAll(() => rmSync(root, { recursive: true }));

it('a directory without write permission gets its mode when all is in it', async () => {
  const [source, target] = [join(root, 'source'), join(root, 'target')];
  mkdirSync(source);
  put(source, 'b/code', 'code');
  put(source, 'b/tests/one', 'one');
  for (const path of ['b/tests', 'b']) chmodSync(join(source, path), 0o555);
  const kept = new KeptDirectories({
    path: join(root, 'volume'),
    restoreAll: async (jobs, onRestored) => {
      for (const job of jobs) onRestored(job, restore(job));
    },
    warn: (line) => expect(line).toBeUndefined(),
  });
  expect(kept.keep('one', source)).toBeGreaterThan(0);
  const modeOf = (path: string): number => statSync(join(target, path)).mode & 0o777;
  const modes: number[] = [];
  const place = { name: 'one', directory: target, last: ['*/tests/**'] };
  const isWhole = await kept.fetch(place, (stage) => {
    if (stage === 'usable') modes.push(modeOf('b'));
  });
  expect(isWhole).toBe(true);
  expect(modes).toEqual([0o755]);
  expect([modeOf('b'), modeOf('b/tests')]).toEqual([0o555, 0o555]);
});

it('reading ahead what can’t be read, or is no name, does no harm', () => {
  const file = join(root, 'no-directory');
  writeFileSync(file, '');
  const kept = new KeptDirectories({ path: file, restoreAll: async () => {}, warn: () => {} });
  kept.readAhead('one');
  kept.readAhead('../elsewhere');
  expect(() => kept.names()).toThrow();
});
