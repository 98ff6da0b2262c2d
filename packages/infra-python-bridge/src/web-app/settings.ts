import * as z from 'zod';

const milliseconds = z.coerce.number().int().nonnegative().max(2_147_483_647);
const count = z.coerce.number().int().positive();

/** Settings of the user's web app by the environment variable that sets each (contract, section 8). */
export const appServerSettingsSchema = z.object({
  FLASH_APP_WORKERS: count
    .default(1)
    .describe('Processes that serve the user’s web app; they share its port'),
  FLASH_APP_START_TIMEOUT_MS: milliseconds
    .default(1_800_000)
    .describe('Time the user’s web app has to load and to start; 0: no bound'),
  FLASH_APP_MAX_CRASHES: count
    .default(10)
    .describe('Crashes of the user’s web app in a row; then the worker exits with status 1'),
  FLASH_APP_STABLE_MS: milliseconds
    .default(10_000)
    .describe('An app process that served for so long is no crash in a row'),
  FLASH_APP_RESTART_MIN_MS: milliseconds
    .default(100)
    .describe('Pause before the user’s web app is started again; it doubles each time'),
  FLASH_APP_RESTART_MAX_MS: milliseconds.default(30_000).describe('Longest such pause'),
  FLASH_APP_KILL_MS: milliseconds
    .default(5000)
    .describe('Time beyond FLASH_DRAIN_MS that the app’s own shutdown has; then its processes are killed'),
  FLASH_APP_ACCESS_LOG: z
    .string()
    .transform((text) => ['1', 'true', 'yes'].includes(text.toLowerCase()))
    .default(false)
    .describe('Have uvicorn log every request of the user’s web app'),
});

export type AppServerSettings = z.output<typeof appServerSettingsSchema>;
