import * as z from 'zod';

const milliseconds = z.coerce.number().int().nonnegative();

/** Settings of the load-balancer entry by the environment variable that sets each (contract, section 8). */
export const lbSettingsSchema = z.object({
  HOST: z.string().default('0.0.0.0').describe('Address to listen on'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(80).describe('Port to listen on; 0: any free one'),
  FLASH_SHARE_PORT: z
    .string()
    .transform((text) => !['0', 'false', 'no'].includes(text.toLowerCase()))
    .default(true)
    .describe(
      'The user’s web app shares its port with this process, which answers when the app does not; 0, false, no: the port is handed over and taken back',
    ),
  FLASH_MAX_BODY_BYTES: z.coerce
    .number()
    .int()
    .positive()
    .default(64 * 1024 * 1024)
    .describe('Largest request body; a larger one is refused with 413'),
  FLASH_HEADERS_TIMEOUT_MS: milliseconds.default(60_000).describe('Time a client has to send its headers'),
  FLASH_REQUEST_TIMEOUT_MS: milliseconds
    .default(300_000)
    .describe('Time a client has to send its whole request; 0: no bound'),
  FLASH_KEEP_ALIVE_MS: milliseconds.default(600_000).describe('Time an idle connection is kept'),
  FLASH_DRAIN_MS: milliseconds
    .default(300_000)
    .describe('Time that requests in flight have to finish after SIGTERM'),
});

export type LbSettings = z.output<typeof lbSettingsSchema>;
