import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes that a directory's files take on the disk; what goes away meanwhile does not count. */
export async function directoryBytes(path: string): Promise<number> {
  let bytes = 0;
  for await (const entry of await opendir(path, { recursive: true })) {
    const blocks = await lstat(join(entry.parentPath, entry.name)).then(
      (stat) => stat.blocks,
      () => 0,
    );
    bytes += blocks * 512;
  }
  return bytes;
}
