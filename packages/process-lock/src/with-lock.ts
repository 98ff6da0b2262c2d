import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { isRunning, readIdentity, thisProcess } from './process-identity.ts';

const pollMs = 20;
/** A holder of another container or machine shows in this interval that it lives. */
const renewalMs = 1000;
/** It is taken for dead when nothing was seen of it for so long. */
const silenceMs = 10_000;

/** What was seen of a lock that another process holds. */
interface Sighting {
  content: string;
  mtimeMs: number;
  /** On the clock of `performance.now()`: clocks of machines differ. */
  since: number;
}

/**
 * Does `work` while no other process does its own under the same file. A process that was killed holds nothing.
 *
 * @throws Error when another process holds the lock for longer than `timeoutMs`.
 */
export async function withLock<T>(path: string, timeoutMs: number, work: () => Promise<T>): Promise<T> {
  const sighting: Sighting = { content: '', mtimeMs: 0, since: 0 };
  for (const end = performance.now() + timeoutMs; !(await take(path, sighting)); await delay(pollMs)) {
    if (performance.now() > end)
      throw new Error(
        `another process holds ${path} for over ${timeoutMs} ms (${sighting.content}): is it stuck? Remove the file if it is not there any more`,
      );
  }
  const renewal = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, renewalMs).unref();
  try {
    return await work();
  } finally {
    clearInterval(renewal);
    await rm(path, { force: true });
  }
}

async function take(path: string, sighting: Sighting): Promise<boolean> {
  const aside = `${path}-${randomBytes(6).toString('hex')}`;
  await writeFile(aside, JSON.stringify(thisProcess()));
  try {
    // The file comes into being whole, or not at all.
    await link(aside, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(aside, { force: true });
  }
  await removeIfAbandoned(path, aside, sighting);
  return false;
}

async function removeIfAbandoned(path: string, aside: string, sighting: Sighting): Promise<void> {
  const content = await readFile(path, 'utf8').catch(() => undefined);
  const mtimeMs = await stat(path).then(
    (found) => found.mtimeMs,
    () => undefined,
  );
  if (content === undefined || mtimeMs === undefined) return;
  const now = performance.now();
  if (sighting.content !== content || sighting.mtimeMs !== mtimeMs)
    Object.assign(sighting, { content, mtimeMs, since: now });
  const identity = readIdentity(content);
  const isAlive = (identity && isRunning(identity)) ?? now - sighting.since < silenceMs;
  if (isAlive) return;
  // Of two processes that find a lock abandoned one moves it away. If it turns out to be a third process's new lock, it goes back.
  await rename(path, aside).catch(() => {});
  if ((await readFile(aside, 'utf8').catch(() => content)) !== content)
    await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
}
