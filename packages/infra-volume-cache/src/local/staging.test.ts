import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { processTag } from '@flash/process-lock';
import { expect, it } from '@jest/globals';
import { makeStaging } from './staging.ts';

it('what processes that were killed have left goes, also when this one has their id now; what others are at work on stays', () => {
  const root = mkdtempSync(join(tmpdir(), 'flash-staging-'));
  const own = basename(makeStaging(root));
  const prefix = own.slice(0, -processTag().length);
  const [pid, startedAt, here] = processTag().split('-');
  const elsewhere = `1-77-${'0'.repeat(8)}`;
  const left = [`${pid}-${Number(startedAt) - 1}-${here}`, `2-1-${'0'.repeat(8)}`, '1'];
  for (const tag of [...left, elsewhere]) mkdirSync(join(root, prefix + tag));
  for (const tag of left.slice(1)) utimesSync(join(root, prefix + tag), 1, 1);
  mkdirSync(join(root, own, 'a file of an earlier attempt'));
  makeStaging(root);
  expect(readdirSync(root).sort()).toEqual([own, prefix + elsewhere].sort());
  expect(readdirSync(join(root, own))).toEqual([]);
  rmSync(root, { recursive: true });
});
