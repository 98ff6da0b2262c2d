import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { WorkerStartError } from '@flash/worker-core';

/**
 * Path of the interpreter that runs user code: `FLASH_PYTHON`, the active virtual environment, the nearest `.venv` above the
 * working directory, `python3` on the path.
 *
 * @throws WorkerStartError when there is none.
 */
export function findPython(
  configured: string | undefined,
  env: NodeJS.ProcessEnv,
  workingDirectory: string,
): string {
  if (configured !== undefined) {
    if (existsSync(configured)) return configured;
    throw new WorkerStartError(`FLASH_PYTHON is ${configured}, and there is no such file`);
  }
  for (const candidate of candidates(env, workingDirectory)) if (existsSync(candidate)) return candidate;
  throw new WorkerStartError(
    'no Python was found: install Python 3.10 or newer, or set FLASH_PYTHON to its path',
  );
}

function* candidates(env: NodeJS.ProcessEnv, workingDirectory: string): Generator<string> {
  if (env.VIRTUAL_ENV) yield join(env.VIRTUAL_ENV, 'bin', 'python');
  for (let directory = workingDirectory; ; directory = dirname(directory)) {
    yield join(directory, '.venv', 'bin', 'python');
    if (directory === dirname(directory)) break;
  }
  for (const directory of (env.PATH ?? '').split(delimiter)) if (directory) yield join(directory, 'python3');
}
