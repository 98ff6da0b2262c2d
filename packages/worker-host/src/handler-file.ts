import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { SettingsError } from '@flash/worker-core';
import { filesIn } from './app-files.ts';
import type { AppSettings } from './app-settings.ts';

/** Most handlers that an error lists. */
const mostNamed = 10;

/**
 * Path of the generated handler of this worker's resource; `undefined` when there is none, which is live mode (docs/reference/protocol.md, Modes).
 *
 * @throws SettingsError for a resource name that leads out of the app directory.
 */
export function findHandlerFile({ FLASH_APP_DIR, FLASH_RESOURCE_NAME }: AppSettings): string | undefined {
  if (FLASH_RESOURCE_NAME === undefined) return undefined;
  const name = handlerName(FLASH_RESOURCE_NAME);
  const file = resolve(FLASH_APP_DIR, name);
  if (basename(name) !== name || name.includes('\0'))
    throw leadsOut('FLASH_RESOURCE_NAME', FLASH_RESOURCE_NAME);
  return existsSync(file) ? file : undefined;
}

/** What is missing when this worker's resource has no generated handler, where it was looked for, and what to do. */
export function missingHandlerMessage({ FLASH_APP_DIR, FLASH_RESOURCE_NAME = '' }: AppSettings): string {
  const directory = resolve(FLASH_APP_DIR);
  const name = handlerName(FLASH_RESOURCE_NAME);
  const resource = `FLASH_RESOURCE_NAME is ${JSON.stringify(FLASH_RESOURCE_NAME)}`;
  if (!existsSync(directory))
    return `${resource}, and the app directory ${directory} with its ${name} does not exist: deploy the app, or set FLASH_APP_DIR`;
  const others = filesIn(directory).filter((file) => /^handler_.*\.py$/.test(file));
  const has = others.length === 0 ? '' : `, only ${others.slice(0, mostNamed).join(', ')}`;
  return `${resource}, and there is no ${name} in ${directory} (FLASH_APP_DIR)${has}: deploy an app that was built with this resource, or set the name of one it has`;
}

function handlerName(resource: string): string {
  return `handler_${resource}.py`;
}

/** The complaint about a name that is no place in the app directory. */
export function leadsOut(variable: string, value: string): SettingsError {
  return new SettingsError(`${variable} is ${JSON.stringify(value)}, which leads out of the app directory`);
}
