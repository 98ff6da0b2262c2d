import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { SettingsError } from '@flash/worker-core';
import type { AppSettings } from './app-settings.ts';

/**
 * Path of the generated handler of this worker's resource; `undefined` when there is none, which is live mode (contract, section 3).
 *
 * @throws SettingsError for a resource name that leads out of the app directory.
 */
export function findHandlerFile({ FLASH_APP_DIR, FLASH_RESOURCE_NAME }: AppSettings): string | undefined {
  if (FLASH_RESOURCE_NAME === undefined) return undefined;
  const name = `handler_${FLASH_RESOURCE_NAME}.py`;
  if (basename(name) !== name || name.includes('\0')) {
    throw new SettingsError(
      `FLASH_RESOURCE_NAME is ${JSON.stringify(FLASH_RESOURCE_NAME)}, which leads out of the app directory`,
    );
  }
  const file = resolve(FLASH_APP_DIR, name);
  return existsSync(file) ? file : undefined;
}
