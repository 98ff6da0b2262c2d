import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { ownPrefix } from '../excluded.ts';

const prefix = `${ownPrefix}staging-`;

/** Makes the directory below the cache directory where files are written before they appear; removes what killed processes have left. */
export function makeStaging(root: string): string {
  mkdirSync(root, { recursive: true });
  removeLeftovers(root);
  const path = `${root}/${prefix}${process.pid}`;
  mkdirSync(path, { mode: 0o700 });
  return path;
}

export function removeStaging(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

function removeLeftovers(root: string): void {
  for (const name of readdirSync(root)) {
    if (!name.startsWith(prefix)) continue;
    const pid = Number(name.slice(prefix.length));
    if (pid === process.pid || !isAlive(pid)) removeStaging(`${root}/${name}`);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
