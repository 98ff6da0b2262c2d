/** ruff, mypy and the import rules over flash_runner, what measures it, the sender of traces and the decompressor: by the rules of flash_runner's project. */
import { join } from 'node:path';
import { root, show } from './lib/run.mjs';

const cwd = join(root, 'packages/infra-python-bridge/python');
const sender = join(root, 'packages/infra-tracing/python');
const archives = join(root, 'packages/tar-archive/python');
const tool = (name) => join(root, '.venv-dev/bin', name);
const failed = [
  [tool('ruff'), ['check', '--config', 'pyproject.toml', '.', sender, archives]],
  [tool('ruff'), ['format', '--check', '--config', 'pyproject.toml', '.', sender, archives]],
  [tool('lint-imports'), ['--no-cache', '--config', 'pyproject.toml']],
  [tool('mypy'), ['flash_runner']],
  [tool('mypy'), [join(sender, 'send_traces.py')]],
  [tool('mypy'), [join(archives, 'decompress.py')]],
  [tool('mypy'), ['measure', '--python-version', '3.13']],
].map(([file, args]) => show(file, args, { cwd }));
process.exit(failed.some((status) => status !== 0) ? 1 : 0);
