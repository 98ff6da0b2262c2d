import { spawnSync } from 'node:child_process';
import { join, relative } from 'node:path';
import { expect, it } from '@jest/globals';
import { root } from './run.mjs';

/** Files that npm test would run with these flags. */
function listed(...flags) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'scripts/test.mjs'), ...flags, '--listTests', '--json'],
    { encoding: 'utf8' },
  );
  expect({ status, stderr }).toMatchObject({ status: 0 });
  return JSON.parse(stdout.trim().split('\n').at(-1)).map((path) => relative(root, path));
}

it('takes tests beside the sources, or those in test/, and no file as both', () => {
  const [unit, integration, all] = [listed('--unit'), listed('--integration'), listed()];
  expect(unit.length).toBeGreaterThan(10);
  expect(integration.length).toBeGreaterThan(10);
  expect(unit.filter((path) => integration.includes(path))).toEqual([]);
  expect(all).toEqual(expect.arrayContaining([...unit, ...integration]));
});

it.each([
  ['--unit', 'packages/queue-gateway/', /^packages\/queue-gateway\/src\//],
  ['--integration', 'packages/infra-volume-cache/', /^packages\/infra-volume-cache\/test\//],
])('narrows %s down by a pattern', (kind, pattern, place) => {
  const paths = listed(kind, '--testPathPatterns', pattern);
  expect(paths.length).toBeGreaterThan(0);
  expect(paths.filter((path) => !place.test(path))).toEqual([]);
});
