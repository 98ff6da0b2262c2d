/**
 * Prepares a checkout: npm packages, the Python environment of the worker (.venv), the build; with --dev also the tools and
 * real clients of the tests (.venv-dev). What is up to date is not done again. Needs Node 20, npm and Python 3.10 or newer.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installPrograms } from './lib/debian.mjs';
import { findAny } from './lib/python.mjs';
import { fail, root, run } from './lib/run.mjs';

const isDev = process.argv.includes('--dev');
const pythonDirectory = 'packages/infra-python-bridge/python';
const stamps = join(root, '.setup');

if (Number(process.versions.node.split('.')[0]) < 20)
  fail(`Node ${process.versions.node} is too old: install Node 20 or newer`);
mkdirSync(stamps, { recursive: true });

step('npm packages', ['package-lock.json'], 'node_modules/.package-lock.json', () => {
  // Not `npm ci`: that demands every platform's binaries in the lock file, see docs/decisions/0003-npm-install.md.
  run('installing npm packages (is the npm registry reachable?)', 'npm', [
    'install',
    '--no-save',
    '--no-audit',
    '--no-fund',
  ]);
});
environment('.venv', 'requirements.txt');
compileBytecode();
if (isDev) {
  environment('.venv-dev', 'requirements-dev.txt');
  browser();
}
await build();

/** Runs `work` unless it was done for the same inputs before and its product is still there. */
function step(title, inputs, product, work) {
  const hash = createHash('sha256');
  for (const input of inputs) hash.update(readFileSync(join(root, input)));
  const digest = hash.digest('hex');
  const stamp = join(stamps, product.replaceAll('/', '_'));
  if (existsSync(join(root, product)) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  const started = Date.now();
  process.stdout.write(`• ${title} … `);
  work();
  writeFileSync(stamp, digest);
  process.stdout.write(`${((Date.now() - started) / 1000).toFixed(1)} s\n`);
}

function environment(name, requirements) {
  const list = `${pythonDirectory}/${requirements}`;
  step(`Python packages in ${name}`, [list], `${name}/bin/python`, () => {
    const python =
      findAny() ??
      fail('no Python 3.10 or newer was found: install one, or set FLASH_SETUP_PYTHON to its path');
    const target = join(root, name);
    if (!existsSync(join(target, 'bin', 'python'))) {
      run(`making ${name} (Debian and Ubuntu: apt-get install python3-venv)`, python, ['-m', 'venv', target]);
    }
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', join(root, list)];
    const uv = join(root, '.venv', 'bin', 'uv');
    if (existsSync(uv))
      run('installing Python packages (is PyPI reachable?)', uv, [
        'pip',
        'install',
        '--quiet',
        '--compile-bytecode',
        '--python',
        join(target, 'bin', 'python'),
        '-r',
        join(root, list),
      ]);
    else run('installing Python packages (is PyPI reachable?)', join(target, 'bin', 'python'), pip);
  });
}

/** Only the console's tests want one; without it they say so, and all others run. */
function browser() {
  const started = Date.now();
  const missing = process.env.FLASH_TEST_CHROMIUM === undefined ? installPrograms(['chromium']) : undefined;
  const seconds = (Date.now() - started) / 1000;
  if (missing !== undefined) process.stdout.write(`• no browser for the console's tests: ${missing}\n`);
  else if (seconds > 2) process.stdout.write(`• chromium … ${seconds.toFixed(1)} s\n`);
}

/** Without bytecode on disk each start of Python would compile anew (PYTHONDONTWRITEBYTECODE, read-only directories). */
function compileBytecode() {
  const sources = join(root, pythonDirectory, 'flash_runner');
  run('compiling flash_runner', join(root, '.venv', 'bin', 'python'), ['-m', 'compileall', '-q', sources]);
}

async function build() {
  const started = Date.now();
  // The build finds out by itself what is up to date.
  run('the build', 'npm', ['run', '--silent', 'build']);
  const seconds = (Date.now() - started) / 1000;
  if (seconds > 2) process.stdout.write(`• build … ${seconds.toFixed(1)} s\n`);
}
