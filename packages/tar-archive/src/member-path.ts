import { UnsafeArchiveError } from './unsafe-archive-error.ts';

const longestPath = 4096;
const longestName = 255;

/**
 * The path of a member below the target, in its parts; empty for the target itself.
 *
 * @throws UnsafeArchiveError for a path that is absolute, climbs, or can't be one.
 */
export function memberPath(name: string): readonly string[] {
  if (name === '') throw new UnsafeArchiveError(name, 'has no name');
  if (name.includes('\0')) throw new UnsafeArchiveError(name, 'has a name with a zero byte');
  if (name.startsWith('/')) throw new UnsafeArchiveError(name, 'has an absolute path');
  if (Buffer.byteLength(name) > longestPath)
    throw new UnsafeArchiveError(name, `has a path of over ${longestPath} bytes`);
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw new UnsafeArchiveError(name, 'has a path with ".."');
  if (parts.some((part) => Buffer.byteLength(part) > longestName))
    throw new UnsafeArchiveError(name, `has a name of over ${longestName} bytes`);
  return parts;
}

/**
 * Makes sure that a symbolic link stays below the target, whatever other links there are: it may climb first and go down then, never
 * climb after it went down. A name it goes down by may be a link itself, and ".." would start from where that one leads.
 *
 * @param parts - where the link is.
 * @throws UnsafeArchiveError when it leads out.
 */
export function checkLinkTarget(name: string, parts: readonly string[], target: string): void {
  const refuse = (reason: string): never => {
    throw new UnsafeArchiveError(name, `is a link to ${JSON.stringify(target.slice(0, 300))}, ${reason}`);
  };
  if (target === '' || target.includes('\0')) refuse('which is no path');
  if (target.startsWith('/')) refuse('an absolute path');
  const steps = target.split('/').filter((step) => step !== '' && step !== '.');
  const climbs = steps.findIndex((step) => step !== '..');
  const up = climbs < 0 ? steps.length : climbs;
  if (up > parts.length - 1) refuse('which leads out of the target');
  if (steps.slice(up).includes('..')) refuse('which climbs after it went down');
}
