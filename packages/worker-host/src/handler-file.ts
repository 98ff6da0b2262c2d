import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { SettingsError } from '@flash/worker-core';
import type { AppSettings } from './app-settings.ts';

/**
 * Path of the generated handler of this worker's resource; `undefined` when there is none, which is live mode (docs/reference/protocol.md, Modes).
 *
 * @throws SettingsError for a resource name that leads out of the app directory.
 */
export function findHandlerFile({ FLASH_APP_DIR, FLASH_RESOURCE_NAME }: AppSettings): string | undefined {
  if (FLASH_RESOURCE_NAME === undefined) return undefined;
  const name = `handler_${FLASH_RESOURCE_NAME}.py`;
  const file = resolve(FLASH_APP_DIR, name);
  if (basename(name) !== name || name.includes('\0'))
    throw leadsOut('FLASH_RESOURCE_NAME', FLASH_RESOURCE_NAME);
  return existsSync(file) ? file : undefined;
}

/** The complaint about a name that is no place in the app directory. */
export function leadsOut(variable: string, value: string): SettingsError {
  return new SettingsError(`${variable} is ${JSON.stringify(value)}, which leads out of the app directory`);
}
