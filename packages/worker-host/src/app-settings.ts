import { z } from 'zod';

/** Settings that say which app this worker serves (contract, sections 3, 4 and 6). */
export const appSettingsSchema = z.object({
  FLASH_APP_DIR: z.string().default('/app').describe('Directory of the deployed app'),
  FLASH_RESOURCE_NAME: z.string().optional().describe('Resource of the deployed app that this worker serves'),
  FLASH_MANIFEST_PATH: z.string().default('/app/flash_manifest.json').describe('The deployed app’s manifest'),
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
