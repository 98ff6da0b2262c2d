import { realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Whether a directory would lie in `/proc`, where none can be made. Node must not be asked to make one there together with its parents: it
 * tries again without an end (`mkdir` with `recursive`, `enableCompileCache`). What a link in `/proc` leads to, such as `/proc/self/cwd`, is
 * elsewhere.
 */
export function isInProc(directory: string): boolean {
  const path = resolve(directory);
  // Nothing else is looked up on the disk: a link into /proc is no mistake that a setting has.
  if (!isBelow(path)) return false;
  for (let ancestor = path; ; ancestor = dirname(ancestor)) {
    try {
      return isBelow(realpathSync(ancestor));
    } catch {
      // It is not there: its parent decides.
      if (ancestor === '/') return false;
    }
  }
}

function isBelow(path: string): boolean {
  return path === '/proc' || path.startsWith('/proc/');
}
