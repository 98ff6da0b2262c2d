import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from '../scripts/lib/run.mjs';

/** Makes .venv-bench with what the comparators need; nothing is done when it is there already. */
export function prepareComparators() {
  const requirements = join(root, 'bench/requirements.txt');
  const python = join(root, '.venv-bench/bin/python');
  const stamp = join(root, '.venv-bench/flash-bench-requirements');
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  const uv = join(root, '.venv/bin/uv');
  const base = join(root, '.venv/bin/python');
  run('making .venv-bench', uv, [
    'venv',
    '--quiet',
    '--allow-existing',
    '--python',
    base,
    join(root, '.venv-bench'),
  ]);
  run('installing the comparators', uv, [
    'pip',
    'install',
    '--quiet',
    '--python',
    python,
    '-r',
    requirements,
  ]);
  writeFileSync(stamp, digest);
}
