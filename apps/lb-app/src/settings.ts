import { bodySettingsSchema } from '@flash/http-body';
import {
  defineSettings,
  integer,
  milliseconds,
  positiveInteger,
  positiveMilliseconds,
  read,
  type SettingsOf,
  text,
} from '@flash/settings';
import * as z from 'zod';

/** Settings of the load-balancer entry by the environment variable that sets each (docs/reference/protocol.md, Load-balancer entry). */
export const lbSettingsSchema = defineSettings({
  HOST: text('0.0.0.0', 'Address to listen on'),
  PORT: integer([0, 65_535], 80, 'Port to listen on; 0: any free one'),
  FLASH_SHARE_PORT: read<boolean>(
    () => z.string().transform((word) => !['0', 'false', 'no'].includes(word.toLowerCase())),
    true,
    'The user’s web app shares its port with this process, which answers when the app does not; 0, false, no: the port is handed over and taken back',
  ),
  ...bodySettingsSchema.shape,
  FLASH_KEEP_ALIVE_MS: milliseconds(600_000, 'Time an idle connection is kept'),
  FLASH_LIVE_LOG_BYTES: positiveInteger(
    1024 * 1024,
    'Live log that may wait for a client that reads slowly; more is left out of it, not of the response',
  ),
  FLASH_LIVE_KEEP_ALIVE_MS: positiveMilliseconds(
    15_000,
    'Time after which a silent live log gives a sign of life',
  ),
  FLASH_DRAIN_MS: milliseconds(300_000, 'Time that requests in flight have to finish after SIGTERM'),
});

export type LbSettings = SettingsOf<typeof lbSettingsSchema>;
