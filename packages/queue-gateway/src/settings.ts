import { z } from 'zod';

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
  FLASH_GATEWAY_RUNSYNC_WAIT_MS: count
    .default(90_000)
    .describe('Time runsync waits before it answers with the job’s state'),
});

export type GatewaySettings = z.output<typeof gatewaySettingsSchema>;
