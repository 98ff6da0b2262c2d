import { existsSync } from 'node:fs';
import { basename, dirname, relative, resolve, sep } from 'node:path';
import { SettingsError } from '@flash/worker-core';
import type { AppSettings } from './app-settings.ts';
import { findHandlerFile, leadsOut, missingHandlerMessage } from './handler-file.ts';

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

/** What is missing of the user's web app, where it was looked for, and what to do; `undefined` when its file is there. */
export function missingWebAppMessage(settings: AppSettings): string | undefined {
  const { file } = findWebApp(settings);
  if (existsSync(file)) return undefined;
  const { FLASH_MAIN_FILE, FLASH_RESOURCE_NAME } = settings;
  const ending =
    FLASH_MAIN_FILE === undefined ? ', or set FLASH_MAIN_FILE to the file that defines the app' : '';
  if (FLASH_MAIN_FILE === undefined && FLASH_RESOURCE_NAME !== undefined)
    return `${missingHandlerMessage(settings)}; nor is there a ${basename(file)}${ending}`;
  const name = `there is no ${basename(file)} in ${dirname(file)}`;
  return `${name} (FLASH_APP_DIR, FLASH_MAIN_FILE): deploy the app${ending}`;
}
