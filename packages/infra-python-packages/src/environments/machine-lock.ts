import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const pollMs = 2;

/**
 * Runs `work` while no other process of this machine runs work under the same name.
 *
 * The lock is a socket in Linux's abstract name space: the kernel gives it to one at a time, and takes it back from a process that was
 * killed, so that none is ever stale. Where there is no such name space (macOS) nothing is locked.
 *
 * @throws the signal's reason when the signal fires while another process has the lock.
 */
export async function exclusively<T>(name: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  if (process.platform !== 'linux') return work();
  const path = `\0flash-${createHash('sha256').update(name).digest('hex')}`;
  let lock = await tryLock(path);
  // A random pause, so that processes that wait do not try in step.
  for (; lock === undefined; lock = await tryLock(path))
    await delay(pollMs * (0.5 + Math.random()), undefined, { signal });
  try {
    return await work();
  } finally {
    lock.close();
  }
}

async function tryLock(path: string): Promise<Server | undefined> {
  const server = createServer((connection) => connection.destroy());
  server.listen({ path, exclusive: true });
  try {
    await once(server, 'listening');
    return server.unref();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
}
