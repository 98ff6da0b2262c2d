/** Runs the tests: jest over the TypeScript packages, then pytest over flash_runner on every Python found. */
import { join } from 'node:path';
import { root, show } from './lib/run.mjs';

const [kind, ...others] = process.argv
  .slice(2)
  .filter((argument) => argument === '--unit' || !argument.startsWith('--unit'));
const isUnit = kind === '--unit';
const jest = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  join(root, 'node_modules/jest/bin/jest.js'),
  // A test that fails may leave a child of its own behind; the run must end all the same.
  '--forceExit',
  ...(isUnit ? ['--testPathPatterns', 'src/'] : []),
  ...(isUnit ? others : process.argv.slice(2)),
];
const python = process.env.FLASH_TEST_PYTHON ?? join(root, '.venv/bin/python');
const env = { ...process.env, FLASH_PYTHON: python };
const failed = show(process.execPath, jest, { env });
if (failed !== 0) process.exit(failed);
if (!isUnit && process.argv.length === 2)
  process.exit(show(process.execPath, [join(root, 'scripts/test-python.mjs')], { env }));
