import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes that a directory's files take on the disk; what goes away meanwhile does not count. */
export async function directoryBytes(path: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(path, { withFileTypes: true }).catch(() => [])) {
    const below = join(path, entry.name);
    if (entry.isDirectory()) bytes += await directoryBytes(below);
    const blocks = await lstat(below).then(
      (stat) => stat.blocks,
      () => 0,
    );
    bytes += blocks * 512;
  }
  return bytes;
}
