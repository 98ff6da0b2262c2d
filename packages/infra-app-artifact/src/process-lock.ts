import { readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

const pollMs = 20;

/** Whether a process of this machine runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Does `work` while no other process of this machine does its own under the same file. A process that was killed holds nothing.
 *
 * @throws Error when another process holds the lock for longer than `timeoutMs`.
 */
export async function withLock<T>(path: string, timeoutMs: number, work: () => Promise<T>): Promise<T> {
  for (const end = performance.now() + timeoutMs; !(await take(path)); await delay(pollMs)) {
    if (performance.now() > end)
      throw new Error(`another process holds ${path} for over ${timeoutMs} ms; is it stuck?`);
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function take(path: string): Promise<boolean> {
  try {
    await writeFile(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const holder = await readFile(path, 'utf8').catch(() => '');
  // An empty file is one whose holder is just writing its number.
  if (holder !== '' && !isAlive(Number(holder))) await rm(path, { force: true });
  return false;
}
