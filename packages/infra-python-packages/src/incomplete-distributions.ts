import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { InstalledDistributions } from './installed-distributions.ts';

/** Clocks of file systems are coarser than those of processes. */
const clockSlackMs = 1000;

/**
 * Removes the metadata of packages that a tool was still writing when it was killed or gave up: they would count as installed for good, to this
 * worker and to the tools, although files of theirs are not there.
 *
 * @param startedAt - when the tool began, in milliseconds since the epoch: what was there before is left alone.
 */
export async function removeIncomplete(
  distributions: InstalledDistributions,
  directories: readonly string[],
  startedAt: number,
): Promise<void> {
  for (const { path } of (await distributions.read(directories)).values()) {
    const madeAt = await stat(path).then(
      ({ ctimeMs }) => ctimeMs,
      () => 0,
    );
    if (madeAt < startedAt - clockSlackMs || !path.endsWith('.dist-info') || (await isComplete(path)))
      continue;
    await rm(path, { recursive: true, force: true });
  }
}

/** Both tools write the list of files last of all, and in it a file of the metadata that no wheel has. */
async function isComplete(path: string): Promise<boolean> {
  const record = await readFile(join(path, 'RECORD'), 'utf8').catch(() => '');
  return /\.dist-info\/INSTALLER,/.test(record);
}
