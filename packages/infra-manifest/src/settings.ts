import * as z from 'zod';

const milliseconds = z.coerce.number().int().nonnegative().max(2_147_483_647);

/** Settings of the manifest and its source by the environment variable that sets each (contract, sections 4 and 6). */
export const manifestSettingsSchema = z.object({
  RUNPOD_API_KEY: z.string().optional().describe('The user’s key: State Manager, calls of other endpoints'),
  RUNPOD_API_BASE_URL: z
    .url()
    .default('https://api.runpod.io')
    .describe('Control plane; GraphQL at /graphql'),
  FLASH_ENVIRONMENT_ID: z
    .string()
    .optional()
    .describe('Environment of the deployed app; its manifest is asked for at the State Manager'),
  FLASH_MANIFEST_TTL_MS: milliseconds
    .default(300_000)
    .describe('Age from which on the manifest is asked for anew before a call of another endpoint'),
  FLASH_MANIFEST_RETRY_MS: milliseconds
    .default(30_000)
    .describe('Time for which a State Manager that failed is left alone'),
  FLASH_MANIFEST_ATTEMPTS: z.coerce.number().int().positive().default(3).describe('Attempts of one refresh'),
  FLASH_MANIFEST_TIMEOUT_MS: milliseconds
    .default(10_000)
    .describe('Time the State Manager has for one answer'),
  FLASH_MANIFEST_MAX_BYTES: z.coerce
    .number()
    .int()
    .positive()
    .default(16 * 1024 * 1024)
    .describe('Largest answer of the State Manager'),
});

export type ManifestSettings = z.output<typeof manifestSettingsSchema>;
