import { join } from 'node:path';
import type { Environment } from '@flash/worker-core';

/** What is to be known of an environment's directory to run something in it. */
export function environmentOf(
  { id, path }: { readonly id: string; readonly path: string },
  env: NodeJS.ProcessEnv,
): Environment {
  const bin = join(path, 'bin');
  const { PATH = '' } = env;
  return { id, python: join(bin, 'python'), variables: { VIRTUAL_ENV: path, PATH: `${bin}:${PATH}` } };
}
