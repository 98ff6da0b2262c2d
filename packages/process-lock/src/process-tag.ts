import { createHash } from 'node:crypto';
import { isRunning, thisProcess } from './process-identity.ts';

/** What {@link processTag} makes, for patterns of file names. */
export const processTagPattern = '\\d+-\\d+-[0-9a-f]{8}';

/** This process's identity as a part of a file name. */
export function processTag(): string {
  const { pid, startedAt = '0' } = thisProcess();
  return `${pid}-${startedAt}-${here()}`;
}

/** Whether the process of a tag runs; `undefined` when it can't be told from here. */
export function isTagRunning(tag: string): boolean | undefined {
  const [pid, startedAt, where] = tag.split('-');
  if (where !== here()) return undefined;
  const { bootId, pidNamespace } = thisProcess();
  return isRunning({
    pid: Number(pid),
    startedAt: startedAt === '0' ? undefined : startedAt,
    bootId,
    pidNamespace,
  });
}

/** The machine and the container, in short. */
function here(): string {
  const { bootId, pidNamespace } = thisProcess();
  return createHash('sha256').update(`${bootId}\n${pidNamespace}`).digest('hex').slice(0, 8);
}
