/** ruff and mypy over flash_runner. */
import { join } from 'node:path';
import { root, show } from './lib/run.mjs';

const cwd = join(root, 'packages/infra-python-bridge/python');
const tool = (name) => join(root, '.venv-dev/bin', name);
const failed = [
  [tool('ruff'), ['check', '.']],
  [tool('ruff'), ['format', '--check', '.']],
  [tool('mypy'), ['flash_runner']],
  [tool('mypy'), ['measure', '--python-version', '3.13']],
].map(([file, args]) => show(file, args, { cwd }));
process.exit(failed.some((status) => status !== 0) ? 1 : 0);
