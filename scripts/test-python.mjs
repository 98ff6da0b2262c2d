/** Runs flash_runner's own tests on every Python of 3.10 to 3.13 that is installed; the others are named. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findVersion } from './lib/python.mjs';
import { root, run, show } from './lib/run.mjs';

const project = join(root, 'packages/infra-python-bridge/python');
const uv = join(root, '.venv/bin/uv');
let failed = false;
for (const version of ['3.10', '3.11', '3.12', '3.13']) {
  const python = findVersion(version);
  if (python === undefined) {
    console.log(`\nPython ${version}: skipped, it is not installed`);
    continue;
  }
  console.log(`\nPython ${version}`);
  const environment = join(root, '.setup', `python-${version}`);
  const interpreter = join(environment, 'bin/python');
  if (!existsSync(interpreter))
    run(`making an environment of Python ${version}`, uv, [
      'venv',
      '--quiet',
      '--python',
      python,
      environment,
    ]);
  run('installing pytest', uv, [
    'pip',
    'install',
    '--quiet',
    '--python',
    interpreter,
    'cloudpickle==3.1.2',
    'pytest==9.2.0',
  ]);
  failed =
    show(interpreter, ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', join(project, 'tests')], {
      cwd: project,
    }) !== 0 || failed;
}
process.exit(failed ? 1 : 0);
