import { afterAll, expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readEnvironmentManifest, writeEnvironmentManifest } from './environment-manifest.ts';
import { LocalEnvironments } from './local-environments.ts';

const directory = mkdtempSync(join(tmpdir(), 'flash-local-environments-'));
afterAll(() => rmSync(directory, { recursive: true }));

const id = `${'a'.repeat(12)}-${'b'.repeat(24)}`;
const { signal } = new AbortController();

/** What a worker does for a request; other workers often do the same at the same time. */
async function use(environments: LocalEnvironments): Promise<'made' | 'found'> {
  let environment = await environments.add(id);
  const outcome = environment === undefined ? 'made' : 'found';
  if (environment === undefined) {
    environment = await environments.begin(id, signal);
    if (environment === undefined) {
      await mkdir(environments.pathOf(id));
      await writeFile(join(environments.pathOf(id), 'package.py'), '');
      await writeEnvironmentManifest(environments.pathOf(id), ['toolz']);
      environment = await environments.complete(id);
    }
  }
  if (environment === undefined) throw new Error('it went away as soon as it was made');
  await new Promise(setImmediate);
  // It is still there, and complete: no other worker has removed it or made it anew meanwhile.
  expect(await readEnvironmentManifest(environment.path)).toEqual(['toolz']);
  expect(readdirSync(environment.path).sort()).toEqual(['flash-environment.json', 'package.py']);
  await environments.remove(environment);
  return outcome;
}

it('several workers in one directory take, make and remove one environment, and none loses it while it is in use', async () => {
  const outcomes = { made: 0, found: 0 };
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      const environments = new LocalEnvironments(directory);
      await environments.open();
      for (let round = 0; round < 100; round++) {
        outcomes[await use(environments)]++;
        // One that has just come looks for remains.
        if (round % 20 === 0) {
          const newcomer = new LocalEnvironments(directory);
          await newcomer.open();
          await newcomer.close();
        }
      }
      await environments.close();
    }),
  );
  expect(outcomes.made).toBeGreaterThan(0);
  expect(outcomes.found).toBeGreaterThan(0);
  // No worker uses an environment any more, and none has left a record of its use behind.
  expect(readdirSync(directory).filter((name) => name.startsWith('.user-'))).toEqual([]);
}, 60_000);
