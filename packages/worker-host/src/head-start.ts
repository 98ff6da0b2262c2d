import type { ChildProcess } from 'node:child_process';
import { spawnZygote } from '@flash/infra-python-bridge/process';
import { interpreterPath } from './interpreter-path.ts';
import { servesWebApp } from './serves-web-app.ts';
import { userEnvironment } from './user-environment.ts';

/**
 * The zygote that starts while this process loads its code, which takes longer. Whoever takes it looks once more what it is for; a guess that
 * was wrong costs nothing but its start.
 */
export interface HeadStart {
  readonly zygote: ChildProcess;
  /** Path of its interpreter. */
  readonly python: string;
  /** The environment it was started for. */
  readonly env: NodeJS.ProcessEnv;
}

/**
 * To be called before anything else is loaded, and loads next to nothing itself.
 *
 * @param env - the worker's environment, in which an empty variable counts as absent.
 * @returns `undefined` when this worker will need none, or has no Python.
 */
export function takeHeadStart(
  env: NodeJS.ProcessEnv,
  entry: 'queue' | 'load-balancer',
): HeadStart | undefined {
  // A web app has processes of its own.
  if (entry === 'load-balancer' && servesWebApp(env)) return undefined;
  const python = interpreterPath(env.FLASH_PYTHON || undefined, env, process.cwd());
  return python === undefined
    ? undefined
    : { zygote: spawnZygote(python, userEnvironment(env)), python, env };
}
