/**
 * A file system of its own for a bench, so that what the machine's disk went through before is not what is measured: ext4 takes up to 50 times
 * as long to make a file where many have been removed within the last minutes, and some virtual machines have no journal. Where it can't be
 * had (no root, no loop devices), a directory for temporary files.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const size = '40G';

export function openDisk(prefix) {
  const base = mkdtempSync(join(tmpdir(), prefix));
  const [image, root] = [join(base, 'image'), join(base, 'disk')];
  mkdirSync(root);
  const run = (file, ...args) => execFileSync(file, args, { stdio: 'pipe' });
  const isMounted = attempt(() => {
    run('truncate', '-s', size, image);
    run('mkfs.ext4', '-q', '-E', 'lazy_itable_init=0,lazy_journal_init=0', image);
    run('mount', '-o', 'loop', image, root);
  });
  if (!isMounted) console.error('no file system of its own could be made: the figures depend on the disk');
  return {
    root,
    remove() {
      if (isMounted) attempt(() => run('umount', '-l', root));
      rmSync(base, { recursive: true, force: true });
    },
  };
}

function attempt(work) {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}
