import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { workerVersion } from './version.ts';

it('is the version of the package', () => {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  expect(workerVersion).toBe(manifest.version);
});
