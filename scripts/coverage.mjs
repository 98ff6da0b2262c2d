/**
 * Measures what of the sources the tests use, and fails below the thresholds: npm run test:coverage.
 *
 * Three measurements are put together: jest's of what runs in it, Node's of the workers that tests start, that of flash_runner's lines in all its
 * processes (`measure/`). A Node process that is killed says nothing, so that what is shown is never too much.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join, relative } from 'node:path';
import coverageLibrary from 'istanbul-lib-coverage';
import { findVersion } from './lib/python.mjs';
import { fail, root, run, show } from './lib/run.mjs';

/** Lines that must be used, in per cent. */
const thresholds = { 'packages/worker-core': 95, flash_runner: 90 };
const otherPackages = 85;

const directory = join(root, 'coverage');
const pythonProject = join(root, 'packages/infra-python-bridge/python');
const lineReport = join(pythonProject, 'measure/line_report.py');
const pythonLines = join(directory, 'python');
const sources = ['packages/*/src/**/*.ts', 'apps/*/src/**/*.ts', 'tools/*/src/**/*.ts'];

rmSync(directory, { recursive: true, force: true });
const python = pythonThatNotes();
const statuses = [runJest(), runPytest()];
const lines = [...typescriptLines(), ['flash_runner', pythonLinesUsed()]];
const low = lines.filter(([name, { percent }]) => percent < thresholdOf(name));
for (const [name, { covered, total, percent }] of lines.toSorted(([a], [b]) => a.localeCompare(b)))
  console.log(
    `${name.padEnd(36)} ${percent.toFixed(1).padStart(5)} %  ${covered} of ${total} lines, at least ${thresholdOf(name)} %`,
  );
if (low.length > 0) fail(`too little is used by tests: ${low.map(([name]) => name).join(', ')}`);
if (statuses.some((status) => status !== 0)) fail('there are failing tests');

function thresholdOf(name) {
  return thresholds[name] ?? otherPackages;
}

function runJest() {
  return show(
    process.execPath,
    [
      join(root, 'scripts/test.mjs'),
      '--coverage',
      '--coverageProvider=v8',
      '--coverageReporters=json',
      `--coverageDirectory=${join(directory, 'jest')}`,
      ...[...sources, '!**/*.test.ts'].map((pattern) => `--collectCoverageFrom=${pattern}`),
      ...process.argv.slice(2),
    ],
    {
      env: {
        ...process.env,
        FLASH_CHILD_COVERAGE: join(directory, 'children'),
        FLASH_TEST_PYTHON: python,
        FLASH_TEST_CLIENTS_PYTHON: python,
      },
    },
  );
}

/** Lines of each workspace, and how many of them ran. */
function typescriptLines() {
  run('reading the coverage of child processes', process.execPath, [
    join(root, 'node_modules/c8/bin/c8.js'),
    'report',
    '--merge-async',
    `--temp-directory=${join(directory, 'children')}`,
    `--reports-dir=${join(directory, 'c8')}`,
    '--reporter=json',
    ...sources.map((pattern) => `--include=${pattern}`),
    '--exclude=**/*.test.ts',
  ]);
  const used = new Map();
  for (const kind of ['jest', 'c8']) {
    const files = JSON.parse(readFileSync(join(directory, kind, 'coverage-final.json'), 'utf8'));
    for (const [path, file] of Object.entries(files)) {
      const hits = coverageLibrary.createFileCoverage(file).getLineCoverage();
      const all = used.get(path) ?? {};
      for (const [line, count] of Object.entries(hits)) all[line] = Math.max(all[line] ?? 0, count);
      used.set(path, all);
    }
  }
  const workspaces = new Map();
  for (const [path, hits] of used) {
    if (hasOnlyTypes(path)) continue;
    const name = relative(root, path).split('/').slice(0, 2).join('/');
    const counted = workspaces.get(name) ?? { covered: 0, total: 0 };
    for (const count of Object.values(hits)) {
      counted.total++;
      if (count > 0) counted.covered++;
    }
    workspaces.set(name, counted);
  }
  return [...workspaces].map(([name, counted]) => [name, withPercent(counted)]);
}

/** Whether nothing of a file is there to run. */
function hasOnlyTypes(path) {
  const code = stripTypeScriptTypes(readFileSync(path, 'utf8'));
  return code.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '').trim() === '';
}

/**
 * An environment whose interpreters note which lines of flash_runner run. Not coverage.py alone: what it has noted is lost with a process that
 * is killed, as a runner is, and to trace slows user code down.
 */
function pythonThatNotes() {
  const version = ['3.13', '3.12'].find((candidate) => findVersion(candidate) !== undefined);
  if (version === undefined) fail('the coverage of flash_runner wants Python 3.13 or 3.12: install one');
  const uv = join(root, '.venv/bin/uv');
  const environment = join(directory, 'environment');
  const python = join(environment, 'bin/python');
  run(`making an environment of Python ${version}`, uv, [
    ...['venv', '--quiet', '--python', findVersion(version), environment],
  ]);
  run('installing Python packages', uv, [
    ...['pip', 'install', '--quiet', '--python', python],
    ...['requirements.txt', 'requirements-dev.txt'].flatMap((list) => ['-r', join(pythonProject, list)]),
  ]);
  run('preparing the measurement', python, [lineReport, 'begin', pythonLines]);
  const packages = run('asking where packages are', python, [
    ...['-c', 'import sysconfig; print(sysconfig.get_path("purelib"), end="")'],
  ]);
  writeFileSync(join(packages, 'flash_measure.pth'), `${pythonLines}\nimport line_recorder\n`);
  return python;
}

/** Of flash_runner's own tests. */
function runPytest() {
  return show(python, ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', 'tests'], { cwd: pythonProject });
}

/** Lines of flash_runner that ran under its own tests or under a worker's. */
function pythonLinesUsed() {
  run('reporting on flash_runner', python, [lineReport, 'report', pythonLines]);
  const { totals } = JSON.parse(readFileSync(join(pythonLines, 'coverage.json'), 'utf8'));
  return withPercent({ covered: totals.covered_lines, total: totals.num_statements });
}

function withPercent({ covered, total }) {
  return { covered, total, percent: (100 * covered) / Math.max(1, total) };
}
