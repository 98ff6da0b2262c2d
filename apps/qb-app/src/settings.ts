import * as z from 'zod';

const milliseconds = z.coerce.number().int().nonnegative().max(2_147_483_647);

/** Settings of the queue entry by the environment variable that sets each (contract, sections 4 and 5). */
export const qbSettingsSchema = z.object({
  RUNPOD_WEBHOOK_GET_JOB: z.string().optional().describe('When set, jobs come from the platform’s queue'),
  RUNPOD_REALTIME_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .optional()
    .describe('When set, POST /<endpoint>/realtime is served on this port instead of a queue'),
  RUNPOD_REALTIME_CONCURRENCY: z.coerce
    .number()
    .int()
    .positive()
    .default(1)
    .describe('Realtime requests at work at once; further ones wait'),
  RUNPOD_ENDPOINT_ID: z.string().optional(),
  HOST: z.string().default('0.0.0.0').describe('Address of the realtime port'),
  FLASH_DRAIN_MS: milliseconds
    .default(300_000)
    .describe('Time that jobs in flight have to finish after SIGTERM; then they are given back'),
  FLASH_FLUSH_MS: milliseconds
    .default(10_000)
    .describe('Time that undelivered results have at the end; what is left is posted by the next start'),
  FLASH_MAX_CONSECUTIVE_FAILURES: z.coerce
    .number()
    .int()
    .nonnegative()
    .default(0)
    .describe('So many jobs in a row that failed for the worker’s own reasons end it; 0: never'),
  FLASH_MAX_BODY_BYTES: z.coerce
    .number()
    .int()
    .positive()
    .default(64 * 1024 * 1024)
    .describe('Largest realtime request; a larger one is refused with 413'),
});

export type QbSettings = z.output<typeof qbSettingsSchema>;
