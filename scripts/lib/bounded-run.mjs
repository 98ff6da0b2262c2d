import { spawn } from 'node:child_process';
import { root } from './run.mjs';

/** Signals that ask this script to end; what it runs has a process group of its own and does not hear them from the terminal. */
const endings = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs a command with its output shown, and ends it with all processes of its group when it takes longer than `limitMs`.
 *
 * @returns its exit status (1 when a signal ended it), and whether the limit ended it.
 */
export async function runBounded(file, args, { limitMs, ...options }) {
  const child = spawn(file, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    ...options,
    detached: true,
  });
  const endGroup = (signal) => {
    try {
      process.kill(-child.pid, signal);
    } catch {
      // The whole group has ended already.
    }
  };
  for (const signal of endings) process.on(signal, endGroup);
  let isOverLimit = false;
  const timer = setTimeout(() => {
    isOverLimit = true;
    endGroup('SIGKILL');
  }, limitMs);
  try {
    const status = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => resolve(code ?? 1));
    });
    return { status, isOverLimit };
  } finally {
    clearTimeout(timer);
    for (const signal of endings) process.off(signal, endGroup);
  }
}
