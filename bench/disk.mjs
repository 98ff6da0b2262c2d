/**
 * Even ground for a bench of files.
 *
 * Memory that a virtual machine has never used takes four times as long to be written, so it is used once before. And there is a file system
 * of its own, so that what the machine's disk went through before is not what is measured: ext4 takes up to 50 times
 * as long to make a file where many have been removed within the last minutes, and some virtual machines have no journal. Where it can't be
 * had (no root, no loop devices), a directory for temporary files.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';

const size = '40G';
let hasUsedMemory = false;

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
  if (!hasUsedMemory) useMemoryOnce();
  hasUsedMemory = true;
  if (!isMounted) console.error('no file system of its own could be made: the figures depend on the disk');
  return {
    root,
    remove() {
      if (isMounted) attempt(() => run('umount', '-l', root));
      rmSync(base, { recursive: true, force: true });
    },
  };
}

/** In a process of its own, which gives it back. */
function useMemoryOnce() {
  const bytes = Math.min(10e9, Math.floor(freemem() / 2));
  const script = `const size = 2 ** 26; for (let at = 0; at < ${bytes}; at += size) (globalThis.all ??= []).push(Buffer.alloc(size, 1))`;
  attempt(() => execFileSync(process.execPath, ['-e', script]));
}

function attempt(work) {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}
