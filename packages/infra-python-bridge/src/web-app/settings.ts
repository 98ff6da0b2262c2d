import { defineSettings, flag, milliseconds, positiveInteger, type SettingsOf } from '@flash/settings';

/** Settings of the user's web app by the environment variable that sets each (docs/reference/protocol.md, Load-balancer entry). */
export const appServerSettingsSchema = defineSettings({
  FLASH_APP_WORKERS: positiveInteger(1, 'Processes that serve the user’s web app; they share its port'),
  FLASH_APP_START_TIMEOUT_MS: milliseconds(
    1_800_000,
    'Time the user’s web app has to load and to start; 0: no bound',
  ),
  FLASH_APP_MAX_CRASHES: positiveInteger(
    10,
    'Crashes of the user’s web app in a row; then the worker exits with status 1',
  ),
  FLASH_APP_STABLE_MS: milliseconds(10_000, 'An app process that served for so long is no crash in a row'),
  FLASH_APP_RESTART_MIN_MS: milliseconds(
    100,
    'Pause before the user’s web app is started again; it doubles each time',
  ),
  FLASH_APP_RESTART_MAX_MS: milliseconds(30_000, 'Longest such pause'),
  FLASH_APP_KILL_MS: milliseconds(
    5000,
    'Time beyond FLASH_DRAIN_MS that the app’s own shutdown has; then its processes are killed',
  ),
  FLASH_APP_ACCESS_LOG: flag(false, 'Have uvicorn log every request of the user’s web app'),
});

export type AppServerSettings = SettingsOf<typeof appServerSettingsSchema>;
