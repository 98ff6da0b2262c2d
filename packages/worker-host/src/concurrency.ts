import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { flashManifestSchema, type Log, validationMessage } from '@flash/worker-core';
import type { AppSettings } from './app-settings.ts';

/** How many jobs this worker has in flight: as set, else as the manifest says of its resource, else 1 (contract, section 5). */
export function readConcurrency(settings: AppSettings, log: Log): number {
  const { FLASH_CONCURRENCY, FLASH_RESOURCE_NAME, FLASH_MANIFEST_PATH, FLASH_APP_DIR } = settings;
  const path = FLASH_MANIFEST_PATH ?? join(FLASH_APP_DIR, 'flash_manifest.json');
  if (FLASH_CONCURRENCY !== undefined) return FLASH_CONCURRENCY;
  if (FLASH_RESOURCE_NAME === undefined) return 1;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return 1;
  }
  try {
    const manifest = flashManifestSchema.safeParse(JSON.parse(text));
    if (manifest.success) return manifest.data.resources[FLASH_RESOURCE_NAME]?.max_concurrency ?? 1;
    throw new Error(validationMessage(manifest.error));
  } catch (error) {
    log.write('warn', 'the manifest can’t be read: one job at a time', {
      path,
      reason: (error as Error).message,
    });
    return 1;
  }
}
