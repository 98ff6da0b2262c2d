import { bodySettingsSchema } from '@flash/http-body';
import { defineSettings, positiveInteger, type SettingsOf, text } from '@flash/settings';

/** Settings of the local queue API by the environment variable that sets each. */
export const gatewaySettingsSchema = defineSettings({
  ...bodySettingsSchema.shape,
  FLASH_GATEWAY_MAX_QUEUED: positiveInteger(10_000, 'Most jobs that wait; one more is refused with 429'),
  FLASH_GATEWAY_HISTORY: positiveInteger(1000, 'Most ended jobs that are remembered'),
  FLASH_GATEWAY_HISTORY_BYTES: positiveInteger(
    256 * 1024 * 1024,
    'Most bytes of ended jobs that are remembered',
  ),
  FLASH_GATEWAY_LOG_BYTES: positiveInteger(1024 * 1024, 'Live log kept of one job'),
  FLASH_GATEWAY_STREAM_BYTES: positiveInteger(
    64 * 1024 * 1024,
    'Chunks kept of one job until its client fetches them; then its worker has to wait',
  ),
  FLASH_GATEWAY_POLL_MS: positiveInteger(20_000, 'Time a worker’s take is held open when there is no job'),
  FLASH_GATEWAY_LEASE_MS: positiveInteger(
    60_000,
    'A job whose worker was not heard of for so long goes to another one',
  ),
  FLASH_GATEWAY_MAX_DELIVERIES: positiveInteger(5, 'How often a job is handed out before it has failed'),
  FLASH_GATEWAY_MAX_RESULT_BYTES: positiveInteger(
    64 * 1024 * 1024,
    'Largest result taken of a worker; a larger one is refused with 400, as the platform does',
  ),
  FLASH_GATEWAY_WORKER_KEY: text(undefined, 'Authorization that workers must send; default: any'),
  FLASH_GATEWAY_RUNSYNC_WAIT_MS: positiveInteger(
    90_000,
    'Time runsync waits before it answers with the job’s state',
  ),
});

export type GatewaySettings = SettingsOf<typeof gatewaySettingsSchema>;
