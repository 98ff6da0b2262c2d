import { defineSettings, milliseconds, positiveInteger, type SettingsOf } from '@flash/settings';

/** Settings that bound what a client may send, by the environment variable that sets each. */
export const bodySettingsSchema = defineSettings({
  FLASH_MAX_BODY_BYTES: positiveInteger(
    64 * 1024 * 1024,
    'Largest request body; a larger one is refused with 413',
  ),
  FLASH_HEADERS_TIMEOUT_MS: milliseconds(
    60_000,
    'Time a client has to send its headers; FLASH_REQUEST_TIMEOUT_MS where that is shorter',
  ),
  FLASH_REQUEST_TIMEOUT_MS: milliseconds(
    300_000,
    'Time a client has to send its whole request; then it is refused with 408; 0: no bound',
  ),
});

export type BodySettings = SettingsOf<typeof bodySettingsSchema>;
