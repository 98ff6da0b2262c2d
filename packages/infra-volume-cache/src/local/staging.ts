import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { isTagRunning, processTag, processTagPattern } from '@flash/process-lock';
import { ownPrefix } from '../excluded.ts';

const prefix = `${ownPrefix}staging-`;
const tagPattern = new RegExp(`^${processTagPattern}$`);
/** A restoration does not last longer. */
const longestMs = 3_600_000;

/** Makes the directory below the cache directory where files are written before they appear; removes what killed processes have left. */
export function makeStaging(root: string): string {
  mkdirSync(root, { recursive: true });
  removeLeftovers(root);
  const path = `${root}/${prefix}${processTag()}`;
  mkdirSync(path, { mode: 0o700 });
  return path;
}

export function removeStaging(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

function removeLeftovers(root: string): void {
  const own = processTag();
  for (const name of readdirSync(root)) {
    if (!name.startsWith(prefix)) continue;
    const tag = name.slice(prefix.length);
    const path = `${root}/${name}`;
    if (tag === own || !(runs(tag) ?? changedLately(path))) removeStaging(path);
  }
}

function runs(tag: string): boolean | undefined {
  return tagPattern.test(tag) ? isTagRunning(tag) : undefined;
}

/** Of a process that can't be looked for from here, in another container, only the age of what it has made tells. */
function changedLately(path: string): boolean {
  const mtimeMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return Date.now() - mtimeMs < longestMs;
}
