import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Version of an interpreter as "3.11", or undefined when it does not run. */
function versionOf(python) {
  const result = spawnSync(python, ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], {
    encoding: 'utf8',
  });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

/** Path of an interpreter of this MAJOR.MINOR version: on the path, or installed by pyenv; undefined when there is none. */
export function findVersion(version) {
  const pyenv = join(process.env.PYENV_ROOT ?? join(homedir(), '.pyenv'), 'versions');
  const installed = existsSync(pyenv)
    ? readdirSync(pyenv).filter((name) => name.startsWith(`${version}.`))
    : [];
  const candidates = [...installed.map((name) => join(pyenv, name, 'bin', 'python')), `python${version}`];
  return candidates.find((candidate) => versionOf(candidate) === version);
}

/** An interpreter the worker can use, 3.10 or newer. */
export function findAny() {
  const candidates = [
    process.env.FLASH_SETUP_PYTHON,
    'python3',
    'python',
    ...['3.14', '3.13', '3.12', '3.11', '3.10'].map(findVersion),
  ];
  return candidates.find((candidate) => {
    const version = candidate ? versionOf(candidate) : undefined;
    const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
    return major === 3 && minor >= 10;
  });
}
