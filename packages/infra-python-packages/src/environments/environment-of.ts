import { join } from 'node:path';
import type { Environment } from '@flash/worker-core';
import type { LocalEnvironment } from './local-environments.ts';

/** The environment of a directory, as the executor takes it to run code there. */
export function environmentOf(
  { id, path, completionFile }: Pick<LocalEnvironment, 'id' | 'path' | 'completionFile'>,
  env: NodeJS.ProcessEnv,
): Environment {
  const bin = join(path, 'bin');
  // An empty entry would stand for the working directory.
  const PATH = `${bin}:${env.PATH || '/usr/local/bin:/usr/bin:/bin'}`;
  return {
    id,
    python: join(bin, 'python'),
    variables: { VIRTUAL_ENV: path, PATH },
    completionFile,
  };
}
