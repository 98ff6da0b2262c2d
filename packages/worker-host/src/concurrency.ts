import type { Log, ManifestStore } from '@flash/worker-core';
import type { AppSettings } from './app-settings.ts';

/** How many jobs this worker has in flight: as set, else as the manifest says of its resource, else 1 (docs/reference/protocol.md, Concurrency). */
export async function readConcurrency(
  { FLASH_CONCURRENCY, FLASH_RESOURCE_NAME }: AppSettings,
  manifests: ManifestStore,
  log: Log,
): Promise<number> {
  if (FLASH_CONCURRENCY !== undefined) return FLASH_CONCURRENCY;
  if (FLASH_RESOURCE_NAME === undefined) return 1;
  try {
    const manifest = await manifests.read();
    return manifest?.resources[FLASH_RESOURCE_NAME]?.max_concurrency ?? 1;
  } catch (error) {
    log.write('warn', 'the manifest can’t be read: one job at a time', { reason: (error as Error).message });
    return 1;
  }
}
