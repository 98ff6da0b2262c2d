import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { withCommandsOf } from './interpreter-commands.ts';

const venv = fileURLToPath(new URL('../../../.venv', import.meta.url));
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'flash-test-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const directoriesOf = (env: NodeJS.ProcessEnv): string[] => (env.PATH ?? '').split(':');

/** A system's Python: real, and by one name only. */
function systemPython(): string {
  const bin = join(root, 'system');
  mkdirSync(bin);
  symlinkSync(realpathSync(join(venv, 'bin/python')), join(bin, 'python3.99'));
  return join(bin, 'python3.99');
}

it('puts a virtual environment first, once, and takes the place of another active one', () => {
  const env = {
    PATH: `/usr/bin:${venv}/bin:/bin`,
    VIRTUAL_ENV: '/other',
    PYTHONPATH: '/target:/more/lib/python3.12/site-packages',
    A: 'b',
  };
  expect(withCommandsOf(join(venv, 'bin/python'), env)).toEqual({
    A: 'b',
    PATH: `${venv}/bin:/target/bin:/more/bin:/usr/bin:/bin`,
    PYTHONPATH: '/target:/more/lib/python3.12/site-packages',
    VIRTUAL_ENV: venv,
  });
});

it('has the usual places where there is no PATH, and never the working directory', () => {
  const directories = directoriesOf(withCommandsOf(join(venv, 'bin/python'), {}));
  expect(directories).toEqual(expect.arrayContaining([`${venv}/bin`, '/usr/bin', '/bin']));
  expect(directories).not.toContain('');
});

it('finds what pip installs for a user, and no virtual environment where there is none', () => {
  const python = join(dirname(realpathSync(join(venv, 'bin/python'))), 'python3');
  const { VIRTUAL_ENV, ...env } = withCommandsOf(python, {
    HOME: '/home/u',
    PATH: '/bin',
    TMPDIR: root,
    VIRTUAL_ENV: '/other',
  });
  expect(directoriesOf(env)).toEqual([dirname(python), '/home/u/.local/bin', '/bin']);
  expect(VIRTUAL_ENV).toBeUndefined();
  expect(directoriesOf(withCommandsOf(python, { PYTHONUSERBASE: '/base', TMPDIR: root }))).toContain(
    '/base/bin',
  );
  expect(
    directoriesOf(withCommandsOf('/usr/bin/python3', { TMPDIR: root })).indexOf('/usr/local/bin'),
  ).toBeLessThan(directoriesOf(withCommandsOf('/usr/bin/python3', { TMPDIR: root })).indexOf('/usr/bin'));
});

it.each(['python', 'python3'])(
  'has this interpreter as %s, whatever it is called itself and what is beside it',
  (name) => {
    const path = systemPython();
    writeFileSync(join(dirname(path), 'python3'), '#!/bin/sh\necho another\n', { mode: 0o755 });
    const say = (): string =>
      execFileSync(name, ['-c', 'import sys; print(sys.prefix)'], {
        env: withCommandsOf(path, { PATH: '/usr/bin:/bin', TMPDIR: root }),
        encoding: 'utf8',
      }).trim();
    expect(say()).toBe(dirname(dirname(realpathSync(path))));
    // Links that lead elsewhere since are made anew.
    const [links = ''] = directoriesOf(withCommandsOf(path, { TMPDIR: root }));
    unlinkSync(join(links, name));
    symlinkSync('/bin/false', join(links, name));
    expect(say()).toBe(dirname(dirname(realpathSync(path))));
  },
);

it('takes no links from a directory that others may write to', () => {
  const path = systemPython();
  const [links = ''] = directoriesOf(withCommandsOf(path, { TMPDIR: root }));
  expect(links).toContain('flash-python-');
  chmodSync(dirname(links), 0o777);
  expect(directoriesOf(withCommandsOf(path, { TMPDIR: root }))[0]).toBe(dirname(path));
});
