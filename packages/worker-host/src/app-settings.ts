import {
  choice,
  directory,
  positiveInteger,
  defineSettings,
  flag,
  read,
  type SettingsOf,
  text,
} from '@flash/settings';
import * as z from 'zod';

/** Settings that say which app this worker serves (docs/reference/protocol.md, Modes, Environment variables and Routing). */
export const appSettingsSchema = defineSettings({
  FLASH_APP_DIR: directory('/app', 'Directory of the deployed app'),
  FLASH_RESOURCE_NAME: text(undefined, 'Resource of the deployed app that this worker serves'),
  FLASH_MAIN_FILE: text(
    undefined,
    'File of the user’s web app in FLASH_APP_DIR; default: handler_<resource>.py where there is one, else main.py',
  ),
  FLASH_APP_VARIABLE: text('app', 'Name of the user’s web app in its file'),
  FLASH_ENDPOINT_TYPE: read<'lb' | 'qb' | undefined>(
    () => z.enum(['lb', 'qb']).optional().catch(undefined),
    undefined,
    'Kind of the deployed endpoint: lb or qb',
  ),
  FLASH_IS_MOTHERSHIP: read<boolean>(
    () => z.string().transform((word) => word.toLowerCase() === 'true'),
    false,
    'true: this is the app’s main endpoint',
  ),
  FLASH_BOOT_FAILURE: choice(
    ['answer', 'exit'],
    'answer',
    'What a worker does whose app can’t be served: answer every job with the reason, or exit with status 1',
  ),
  FLASH_MANIFEST_PATH: text(
    undefined,
    'The deployed app’s manifest; default: flash_manifest.json in FLASH_APP_DIR',
  ),
  FLASH_CONCURRENCY: positiveInteger(
    undefined,
    'Jobs in flight at once; default: max_concurrency of the resource in the manifest, else 1',
  ),
  FLASH_AGGREGATE_STREAM: flag(
    false,
    'Report the chunks of a streaming handler once more, as one list, when it has ended',
  ),
});

export type AppSettings = SettingsOf<typeof appSettingsSchema>;

/** Whether this worker serves a deployed app on the platform (docs/reference/protocol.md, Modes). */
export function isFlashDeployment(settings: AppSettings, endpointId: string | undefined): boolean {
  const { FLASH_RESOURCE_NAME, FLASH_ENDPOINT_TYPE, FLASH_IS_MOTHERSHIP } = settings;
  return (
    endpointId !== undefined &&
    (FLASH_RESOURCE_NAME !== undefined || FLASH_ENDPOINT_TYPE !== undefined || FLASH_IS_MOTHERSHIP)
  );
}
