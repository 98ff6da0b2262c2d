import { type ChildProcess, spawn } from 'node:child_process';
import { bootstrap } from './bootstrap.ts';

/**
 * Starts a Python process that becomes a zygote when it is told how, on descriptor 3; it ends when that is closed. Loads next to nothing:
 * an app may start it before all else.
 *
 * @param python - path of the interpreter.
 * @param env - environment of user code.
 */
export function spawnZygote(python: string, env: NodeJS.ProcessEnv): ChildProcess {
  const child = spawn(python, ['-u', '-c', bootstrap('zygote_start')], {
    env,
    // Descriptor 3 is the control connection.
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    // A session of its own: an interrupt from the terminal is for the supervisor alone, which then drains.
    detached: true,
  });
  // Whoever uses it looks whether it is there; until then nobody may be listening.
  child.on('error', () => {});
  return child;
}
