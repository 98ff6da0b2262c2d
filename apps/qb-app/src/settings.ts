import { bodySettingsSchema } from '@flash/http-body';
import {
  defineSettings,
  integer,
  milliseconds,
  nonNegativeInteger,
  positiveInteger,
  type SettingsOf,
  text,
} from '@flash/settings';

/** Settings of the queue entry by the environment variable that sets each (docs/reference/protocol.md, Environment variables and Queue protocol). */
export const qbSettingsSchema = defineSettings({
  RUNPOD_WEBHOOK_GET_JOB: text(undefined, 'When set, jobs come from the platform’s queue'),
  RUNPOD_REALTIME_PORT: integer(
    [0, 65_535],
    undefined,
    'When set, POST /<endpoint>/realtime is served on this port instead of a queue',
  ),
  RUNPOD_REALTIME_CONCURRENCY: positiveInteger(1, 'Realtime requests at work at once; further ones wait'),
  RUNPOD_ENDPOINT_ID: text(undefined),
  HOST: text('0.0.0.0', 'Address of the realtime port'),
  FLASH_DRAIN_MS: milliseconds(
    300_000,
    'Time that jobs in flight have to finish after SIGTERM; then they are given back',
  ),
  FLASH_FLUSH_MS: milliseconds(
    10_000,
    'Time that undelivered results have at the end; what is left is posted by the next start',
  ),
  FLASH_MAX_CONSECUTIVE_FAILURES: nonNegativeInteger(
    0,
    'So many jobs in a row that failed for the worker’s own reasons end it; 0: never',
  ),
  ...bodySettingsSchema.shape,
});

export type QbSettings = SettingsOf<typeof qbSettingsSchema>;
