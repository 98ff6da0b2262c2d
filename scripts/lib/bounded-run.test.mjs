import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { runBounded } from './bounded-run.mjs';
import { until } from './until.ts';

let directory;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bounded-run-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

it('gives the status of a command that ends in time', async () => {
  expect(await runBounded('sh', ['-c', 'exit 3'], { limitMs: 30_000 })).toEqual({
    status: 3,
    isOverLimit: false,
  });
});

it('ends a command that takes too long, and its children', async () => {
  const noted = join(directory, 'child');
  const line = `sleep 600 & echo $! > ${noted}; wait`;
  expect(await runBounded('sh', ['-c', line], { limitMs: 3000 })).toEqual({ status: 1, isOverLimit: true });
  const child = Number(readFileSync(noted, 'utf8'));
  // It is gone when whatever adopted it has waited for it.
  await until(() => !isAlive(child));
});

it('rejects when the command is not there', async () => {
  await expect(runBounded(join(directory, 'none'), [], { limitMs: 60_000 })).rejects.toThrow('ENOENT');
});

/** A process that has ended and is not yet reaped counts as ended. */
function isAlive(pid) {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
