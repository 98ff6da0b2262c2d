import { WorkerStartError } from '@flash/worker-core';
import { interpreterPath } from './interpreter-path.ts';

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
  const path = interpreterPath(configured, env, workingDirectory);
  if (path !== undefined) return path;
  throw new WorkerStartError(
    configured === undefined
      ? 'no Python was found: install Python 3.10 or newer, or set FLASH_PYTHON to its path'
      : `FLASH_PYTHON is ${configured}, and there is no such file`,
  );
}
