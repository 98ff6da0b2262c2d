import { join } from 'node:path';

/** Lines for a log instead of a terminal's colours and bars. */
const quiet = { NO_COLOR: '1', UV_NO_PROGRESS: '1', PIP_NO_COLOR: '1', PYTHONUNBUFFERED: '1' };

/** The environment of package tools. Their downloads go where the volume cache keeps them, unless the worker’s own environment names another place. */
export function toolEnvironment(env: NodeJS.ProcessEnv, cacheDirectory: string): NodeJS.ProcessEnv {
  const caches = { UV_CACHE_DIR: join(cacheDirectory, 'uv'), PIP_CACHE_DIR: join(cacheDirectory, 'pip') };
  return { ...caches, ...env, ...quiet };
}
