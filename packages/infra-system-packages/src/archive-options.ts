import { access, constants, mkdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Options by which apt-get and nala keep what they download in the cache directory (docs/reference/protocol.md, Places): the network volume keeps it,
 * and the next worker need not download it. None where that directory can't be written.
 */
export async function archiveOptions(cacheDirectory: string): Promise<readonly string[]> {
  const archives = join(cacheDirectory, 'apt/archives');
  try {
    await mkdir(join(archives, 'partial'), { recursive: true });
    await access(archives, constants.W_OK);
  } catch {
    return [];
  }
  const settings = [
    `Dir::Cache::archives=${archives}`,
    'APT::Keep-Downloaded-Packages=true',
    'Binary::apt-get::APT::Keep-Downloaded-Packages=true',
    // The directory is the worker's own: apt's user for downloads may not enter it.
    'APT::Sandbox::User=root',
  ];
  return settings.flatMap((setting) => ['-o', setting]);
}
