import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { until } from '../../../scripts/lib/until.ts';
import { SpareFile } from './spare-file.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'flash-test-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

it('writes files side by side, and has one spare file, which goes in the end', async () => {
  const file = new SpareFile(directory);
  await file.prepare();
  const names = Array.from({ length: 20 }, (_, index) => `file-${index}`);
  await Promise.all(names.map((name) => file.write(name, [Buffer.from(name), Buffer.from('!')])));
  await file.write('file-0', [Buffer.from('again')]);
  // The next one is opened meanwhile.
  await until(() => readdirSync(directory).filter((name) => name.endsWith('.new')).length === 1);
  await file.close();
  expect(readdirSync(directory).sort()).toEqual(names.toSorted());
  expect(readFileSync(join(directory, 'file-7'), 'utf8')).toBe('file-7!');
  expect(readFileSync(join(directory, 'file-0'), 'utf8')).toBe('again');
});

it('rejects when it can’t write, and goes on when it can again', async () => {
  const file = new SpareFile(directory);
  await file.prepare();
  await expect(file.write('no/such/folder', [Buffer.from('x')])).rejects.toThrow('ENOENT');
  await file.write('fine', [Buffer.from('x')]);
  await file.close();
  expect(readdirSync(directory)).toContain('fine');
});
