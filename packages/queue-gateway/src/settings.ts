import * as z from 'zod';

const count = z.coerce.number().int().positive();

/** Settings of the local queue API by the environment variable that sets each. */
export const gatewaySettingsSchema = z.object({
  FLASH_MAX_BODY_BYTES: count
    .default(64 * 1024 * 1024)
    .describe('Largest request body; a larger one is refused with 413'),
  FLASH_GATEWAY_MAX_QUEUED: count
    .default(10_000)
    .describe('Most jobs that wait; one more is refused with 429'),
  FLASH_GATEWAY_HISTORY: count.default(1000).describe('Most ended jobs that are remembered'),
  FLASH_GATEWAY_HISTORY_BYTES: count
    .default(256 * 1024 * 1024)
    .describe('Most bytes of ended jobs that are remembered'),
  FLASH_GATEWAY_LOG_BYTES: count.default(1024 * 1024).describe('Live log kept of one job'),
  FLASH_GATEWAY_STREAM_BYTES: count
    .default(64 * 1024 * 1024)
    .describe('Chunks kept of one job until its client fetches them; then its worker has to wait'),
  FLASH_GATEWAY_POLL_MS: count
    .default(20_000)
    .describe('Time a worker’s take is held open when there is no job'),
  FLASH_GATEWAY_LEASE_MS: count
    .default(60_000)
    .describe('A job whose worker was not heard of for so long goes to another one'),
  FLASH_GATEWAY_MAX_DELIVERIES: count
    .default(5)
    .describe('How often a job is handed out before it has failed'),
  FLASH_GATEWAY_MAX_RESULT_BYTES: count
    .default(64 * 1024 * 1024)
    .describe('Largest result taken of a worker; a larger one is refused with 400, as the platform does'),
  FLASH_GATEWAY_WORKER_KEY: z
    .string()
    .optional()
    .describe('Authorization that workers must send; default: any'),
  FLASH_GATEWAY_RUNSYNC_WAIT_MS: count
    .default(90_000)
    .describe('Time runsync waits before it answers with the job’s state'),
});

export type GatewaySettings = z.output<typeof gatewaySettingsSchema>;
