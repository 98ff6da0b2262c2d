import { readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { AppSettings } from './app-settings.ts';

/** Path of the deployed app's manifest. */
export function manifestPath({ FLASH_MANIFEST_PATH, FLASH_APP_DIR }: AppSettings): string {
  return FLASH_MANIFEST_PATH ?? join(FLASH_APP_DIR, 'flash_manifest.json');
}

/** What is missing of a module that the manifest names, and what to do; `undefined` when it, or its package, is in the app directory. */
export function missingModuleMessage({ FLASH_APP_DIR }: AppSettings, module: string): string | undefined {
  const directory = resolve(FLASH_APP_DIR);
  const path = module.replaceAll('.', '/');
  const name = basename(path);
  const isThere = (file: string): boolean => file === name || file.startsWith(`${name}.`);
  if (filesIn(join(directory, dirname(path))).some(isThere)) return undefined;
  return `The manifest says that it is in the module ${module}, and there is neither ${path}.py nor ${path}/ in ${directory} (FLASH_APP_DIR): build the app again and deploy it`;
}

/** The names in a directory; none when there is no such directory. */
export function filesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}
