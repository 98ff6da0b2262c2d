import { relative, resolve, sep } from 'node:path';
import { SettingsError } from '@flash/worker-core';
import type { AppSettings } from './app-settings.ts';
import { findHandlerFile, leadsOut } from './handler-file.ts';

/** Where the user's own web app is defined. */
export interface WebAppPlace {
  readonly file: string;
  readonly variable: string;
}

/**
 * File and name of the user's web app: FLASH_MAIN_FILE as set, else the generated handler of this resource, else main.py. To be asked when
 * the app's files are in place.
 *
 * @throws SettingsError for a file out of the app directory, or a name that is none.
 */
export function findWebApp(settings: AppSettings): WebAppPlace {
  const { FLASH_APP_DIR: directory, FLASH_MAIN_FILE: main, FLASH_APP_VARIABLE: variable } = settings;
  if (!/^[\p{L}_][\p{L}\p{N}_]*$/u.test(variable)) {
    throw new SettingsError(
      `FLASH_APP_VARIABLE is ${JSON.stringify(variable)}, which is no name of a variable`,
    );
  }
  const file = resolve(directory, main ?? 'main.py');
  const inside = relative(resolve(directory), file);
  if (main?.includes('\0') || inside === '' || inside === '..' || inside.startsWith(`..${sep}`)) {
    throw leadsOut('FLASH_MAIN_FILE', main ?? '');
  }
  return { file: main === undefined ? (findHandlerFile(settings) ?? file) : file, variable };
}
