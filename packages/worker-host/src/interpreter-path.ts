import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** Path of the interpreter that runs user code, see `findPython`; `undefined` when there is none. */
export function interpreterPath(
  configured: string | undefined,
  env: NodeJS.ProcessEnv,
  workingDirectory: string,
): string | undefined {
  if (configured !== undefined) return existsSync(configured) ? configured : undefined;
  for (const candidate of candidates(env, workingDirectory)) if (existsSync(candidate)) return candidate;
  return undefined;
}

function* candidates(env: NodeJS.ProcessEnv, workingDirectory: string): Generator<string> {
  if (env.VIRTUAL_ENV) yield join(env.VIRTUAL_ENV, 'bin', 'python');
  for (let directory = workingDirectory; ; directory = dirname(directory)) {
    yield join(directory, '.venv', 'bin', 'python');
    if (directory === dirname(directory)) break;
  }
  for (const directory of (env.PATH ?? '').split(delimiter)) if (directory) yield join(directory, 'python3');
}
