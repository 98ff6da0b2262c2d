import * as z from 'zod';

const positiveMs = z.coerce.number().int().positive().max(2_147_483_647);

/** Settings of calls to other endpoints by the environment variable that sets each (contract, sections 4 and 6). */
export const endpointRouterSettingsSchema = z.object({
  RUNPOD_API_KEY: z.string().optional().describe('The user’s key: State Manager, calls of other endpoints'),
  RUNPOD_ENDPOINT_BASE_URL: z
    .url()
    .default('https://api.runpod.ai/v2')
    .describe('Data plane, through which the platform finds endpoints by name'),
  FLASH_APP: z.string().optional().describe('Name of the deployed app'),
  FLASH_ENV: z.string().optional().describe('Name of its environment'),
  FLASH_REMOTE_TIMEOUT_MS: positiveMs.default(300_000).describe('Longest call of another endpoint'),
  FLASH_SENTINEL_TIMEOUT: z.coerce
    .number()
    .positive()
    .max(2_000_000)
    .default(90)
    .describe('The same, in seconds, when the platform finds the endpoint'),
  FLASH_REMOTE_CONNECT_ATTEMPTS: z.coerce
    .number()
    .int()
    .positive()
    .default(3)
    .describe('Attempts to reach another endpoint; what was sent is not sent again'),
  FLASH_REMOTE_POLL_MS: positiveMs
    .default(1000)
    .describe('Pause between two questions after a job that runsync did not wait for'),
  FLASH_MAX_REMOTE_BYTES: z.coerce
    .number()
    .int()
    .positive()
    .default(64 * 1024 * 1024)
    .describe('Largest answer of another endpoint'),
});

export type EndpointRouterSettings = z.output<typeof endpointRouterSettingsSchema>;
