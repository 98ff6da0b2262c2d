import * as z from 'zod';

/** Settings that say which app this worker serves (contract, sections 3, 4 and 6). */
export const appSettingsSchema = z.object({
  FLASH_APP_DIR: z.string().default('/app').describe('Directory of the deployed app'),
  FLASH_RESOURCE_NAME: z.string().optional().describe('Resource of the deployed app that this worker serves'),
  FLASH_MAIN_FILE: z
    .string()
    .optional()
    .describe(
      'File of the user’s web app in FLASH_APP_DIR; default: handler_<resource>.py where there is one, else main.py',
    ),
  FLASH_APP_VARIABLE: z.string().default('app').describe('Name of the user’s web app in its file'),
  FLASH_ENDPOINT_TYPE: z
    .enum(['lb', 'qb'])
    .optional()
    .catch(undefined)
    .describe('Kind of the deployed endpoint: lb or qb'),
  FLASH_IS_MOTHERSHIP: z
    .string()
    .transform((text) => text.toLowerCase() === 'true')
    .default(false)
    .describe('true: this is the app’s main endpoint'),
  FLASH_BOOT_FAILURE: z
    .enum(['answer', 'exit'])
    .default('answer')
    .describe(
      'What a worker does whose app can’t be served: answer every job with the reason, or exit with status 1',
    ),
  FLASH_MANIFEST_PATH: z
    .string()
    .optional()
    .describe('The deployed app’s manifest; default: flash_manifest.json in FLASH_APP_DIR'),
  FLASH_CONCURRENCY: z.coerce
    .number()
    .int()
    .positive()
    .optional()
    .describe('Jobs in flight at once; default: max_concurrency of the resource in the manifest, else 1'),
  FLASH_AGGREGATE_STREAM: z
    .string()
    .transform((text) => ['1', 'true', 'yes'].includes(text.toLowerCase()))
    .default(false)
    .describe('Report the chunks of a streaming handler once more, as one list, when it has ended'),
});

export type AppSettings = z.output<typeof appSettingsSchema>;

/** Whether this worker serves a deployed app on the platform (contract, section 3). */
export function isFlashDeployment(settings: AppSettings, endpointId: string | undefined): boolean {
  const { FLASH_RESOURCE_NAME, FLASH_ENDPOINT_TYPE, FLASH_IS_MOTHERSHIP } = settings;
  return (
    endpointId !== undefined &&
    (FLASH_RESOURCE_NAME !== undefined || FLASH_ENDPOINT_TYPE !== undefined || FLASH_IS_MOTHERSHIP)
  );
}
