import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { root } from './run.mjs';

let nothing;
beforeAll(() => {
  nothing = mkdtempSync(join(tmpdir(), 'test-python-'));
});
afterAll(() => rmSync(nothing, { recursive: true, force: true }));

/** Runs scripts/test-python.mjs where no Python, no debootstrap and no unshare is to be found. */
function testPython(...args) {
  return spawnSync(process.execPath, [join(root, 'scripts/test-python.mjs'), ...args], {
    encoding: 'utf8',
    env: { PATH: nothing, PYENV_ROOT: nothing, HOME: nothing },
  });
}

it('says which versions it skips, and why', () => {
  const { status, stdout } = testPython();
  expect(status).toBe(0);
  expect(stdout).toMatch(/Python 3\.10: skipped, it is not installed, and no release of Debian is known/);
  expect(stdout).toMatch(/Python 3\.14: skipped, it is not installed, and (only root|this machine makes no)/);
});

it.each([[['--required']], [['--version', '3.14']]])('fails for want of a version with %j', (flags) => {
  const { status, stdout } = testPython(...flags);
  expect(status).toBe(1);
  expect(stdout).toMatch(/Python 3\.14: FAILED, it is not installed, and /);
});

it.each([
  [['--version', '2.7'], 'flash_runner is not tested on Python 2.7'],
  [['test_nothing.py'], 'there is no test file test_nothing.py'],
  [['--versions', '3.12'], '--versions'],
])('refuses %j with words', (args, message) => {
  const { status, stderr } = testPython(...args);
  expect(status).toBe(1);
  expect(stderr).toContain(message);
});
