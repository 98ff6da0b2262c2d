/**
 * Runs flash_runner's own tests on every Python of 3.10 to 3.14: npm run test:python [-- --version 3.12] [-k NAME] [FILE …] [--required]
 *
 * A Python that is missing here is taken out of a Debian release that has it, where that can be had (root on Debian); else its version is
 * skipped, and the reason is said. --required makes that a failure, as does naming the version.
 */
import { chmodSync, existsSync, globSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { debianWithPython, inChroot } from './lib/debian-python.mjs';
import { findVersion } from './lib/python.mjs';
import { fail, root, run, show } from './lib/run.mjs';

const all = ['3.10', '3.11', '3.12', '3.13', '3.14'];
const project = join(root, 'packages/infra-python-bridge/python');
const uv = join(root, '.venv/bin/uv');
const { values, positionals } = readArguments();
const versions = values.version ?? all;
const unknown = versions.filter((version) => !all.includes(version));
if (unknown.length > 0)
  fail(`flash_runner is not tested on Python ${unknown.join(', ')}: there are ${all.join(', ')}`);
const files = positionals.length === 0 ? [join(project, 'tests')] : positionals.map(testFile);
const isRequired = values.required === true || values.version !== undefined;
let failed = false;
for (const version of versions) {
  const { enter, python, problem } = findPython(version);
  if (problem !== undefined) {
    console.log(
      `\nPython ${version}: ${isRequired ? 'FAILED' : 'skipped'}, it is not installed, and ${problem}`,
    );
    failed ||= isRequired;
    continue;
  }
  console.log(`\nPython ${version}`);
  const interpreter = prepare(version, enter, python);
  const selected = values.k === undefined ? [] : ['-k', values.k];
  const pytest = ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', ...selected, ...files];
  failed = show(...enter(interpreter, pytest), { cwd: project }) !== 0 || failed;
}
process.exit(failed ? 1 : 0);

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        version: { type: 'string', multiple: true },
        k: { type: 'string', short: 'k' },
        required: { type: 'boolean' },
      },
    });
  } catch (error) {
    return fail(error.message);
  }
}

/** A file of tests by its path, or by its name alone; what stands behind "::" is pytest's. */
function testFile(name) {
  const [path, ...rest] = name.split('::');
  const named = globSync(`**/${basename(path)}`, { cwd: join(project, 'tests') });
  const found = [resolve(path), ...named.map((name) => join(project, 'tests', name))].find((candidate) =>
    existsSync(candidate),
  );
  return found === undefined ? fail(`there is no test file ${path}`) : [found, ...rest].join('::');
}

/** Where an interpreter is, and `enter`, which says how a command line is run where it can be seen. */
function findPython(version) {
  const python = findVersion(version);
  if (python !== undefined) return { python, enter: (file, args) => [file, args] };
  const { directory, problem } = debianWithPython(version);
  if (problem !== undefined) return { problem };
  return { python: '/usr/bin/python3', enter: (file, args) => inChroot(directory, file, args), directory };
}

/** Makes an environment with pytest. @returns its interpreter, which exists where `enter` leads. */
function prepare(version, enter, python) {
  const environment = join(root, '.setup', `python-${version}`);
  const interpreter = join(environment, 'bin/python');
  if (!existsSync(join(environment, 'pyvenv.cfg')))
    run(
      `making an environment of Python ${version}`,
      ...enter(uv, ['venv', '--quiet', '--python', python, environment]),
    );
  const packages = ['cloudpickle==3.1.2', 'pytest==9.2.0'];
  run(
    'installing pytest',
    ...enter(uv, ['pip', 'install', '--quiet', '--link-mode=copy', '--python', interpreter, ...packages]),
  );
  writeLauncher(version, enter(interpreter, []));
  return interpreter;
}

/** .setup/bin/python<version> starts the environment's Python from everywhere: what FLASH_TEST_PYTHON can name. */
function writeLauncher(version, [file, args]) {
  const directory = join(root, '.setup/bin');
  mkdirSync(directory, { recursive: true });
  const launcher = join(directory, `python${version}`);
  const words = [file, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  writeFileSync(launcher, `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`);
  chmodSync(launcher, 0o755);
}
