import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processTag } from '@flash/process-lock';
import { EnvironmentUsers } from './environment-users.ts';
import { LocalEnvironments } from './local-environments.ts';

const id = `${'c'.repeat(12)}-${'d'.repeat(24)}`;
const [pid, startedAt, here] = processTag().split('-');
/** A process that has ended: its id is this one's by now, as in a container that was started anew. */
const ended = `${pid}-${Number(startedAt) - 1}-${here}`;
const elsewhere = `1-77-${'0'.repeat(8)}`;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'flash-environment-users-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Records a use by another worker, shown last `ageMs` ago. */
async function recordUse(user: string, ageMs = 0): Promise<void> {
  const path = join(directory, `.user-${id}-${user}`);
  await writeFile(path, '');
  const at = (Date.now() - ageMs) / 1000;
  await utimes(path, at, at);
}

it.each([
  ['a process that runs', `${processTag()}-abcdef01`, 60_000, true],
  ['a process that has ended, whose id another one has now', `${ended}-abcdef01`, 0, false],
  ['a process of another container', `${elsewhere}-abcdef01`, 0, true],
  ['a container that has shown nothing for long', `${elsewhere}-abcdef01`, 16_000, false],
  ['an earlier version, long ago', `${pid}-abcdef01`, 16_000, false],
])('%s: %s, %d ms ago: uses the environment: %s', async (_, user, ageMs, isUsed) => {
  await recordUse(user, ageMs);
  expect(await new EnvironmentUsers(directory).othersUse(id)).toBe(isUsed);
  expect(readdirSync(directory)).toHaveLength(isUsed ? 1 : 0);
});

it('a worker takes up what one has left that was killed at work under the same process id', async () => {
  await recordUse(`${ended}-abcdef01`);
  for (const name of [
    `.building-${id}-${ended}`,
    `.removing-${id}-${ended}-abcdef01`,
    `.building-${id}-${pid}`,
    id,
  ])
    await mkdir(join(directory, name));
  const environments = new LocalEnvironments(directory);
  await environments.open();
  expect(readdirSync(directory)).toEqual([]);
  expect(await environments.begin(id, AbortSignal.timeout(5000))).toBeUndefined();
  await mkdir(environments.asideOf(id));
  await new LocalEnvironments(directory).open();
  expect(readdirSync(directory).filter((name) => name.startsWith('.building-'))).toHaveLength(1);
  await environments.close();
});
