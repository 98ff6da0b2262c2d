import {
  abandon,
  type HeadStart as BridgeHeadStart,
  startAhead,
} from '@flash/infra-python-bridge/head-start';
import { withCommandsOf } from './interpreter-commands.ts';
import { interpreterPath } from './interpreter-path.ts';
import { servesWebApp } from './serves-web-app.ts';
import { userEnvironment } from './user-environment.ts';

/**
 * The Python processes that start while this process loads its code, which takes longer. `bindAdapters` compares them with the
 * settings; a guess that was wrong costs nothing but their start.
 */
export interface HeadStart {
  readonly bridge: BridgeHeadStart;
  /** Path of their interpreter. */
  readonly python: string;
  /** The environment they were started for. */
  readonly env: NodeJS.ProcessEnv;
}

/**
 * To be called before anything else is loaded, and loads next to nothing itself.
 *
 * @param env - the worker's environment, in which an empty variable counts as absent.
 * @returns `undefined` when this worker will need none, has no Python, or settings that are wrong.
 */
export function takeHeadStart(
  env: NodeJS.ProcessEnv,
  entry: 'queue' | 'load-balancer',
): HeadStart | undefined {
  // A web app has processes of its own.
  if (entry === 'load-balancer' && servesWebApp(env)) return undefined;
  const python = interpreterPath(env.FLASH_PYTHON || undefined, env, process.cwd());
  if (python === undefined) return undefined;
  try {
    const bridge = startAhead(python, withCommandsOf(python, userEnvironment(env)), env);
    return bridge && { bridge, python, env };
  } catch {
    // No directory, no descriptor, no process: the start itself will meet the same, and can say so.
    return undefined;
  }
}

/** Ends what was started for nothing. */
export function abandonHeadStart(headStart: HeadStart | undefined): void {
  if (headStart !== undefined) abandon(headStart.bridge);
}
