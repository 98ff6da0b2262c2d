import {
  positiveInteger,
  defineSettings,
  positiveMilliseconds,
  read,
  type SettingsOf,
  text,
} from '@flash/settings';
import * as z from 'zod';

/**
 * Settings of calls to other endpoints by the environment variable that sets each (docs/reference/protocol.md, Environment variables and Routing).
 */
export const endpointRouterSettingsSchema = defineSettings({
  RUNPOD_API_KEY: text(undefined, 'The user’s key: State Manager, calls of other endpoints'),
  RUNPOD_ENDPOINT_BASE_URL: read<string>(
    () => z.url(),
    'https://api.runpod.ai/v2',
    'Data plane, through which the platform finds endpoints by name',
  ),
  FLASH_APP: text(undefined, 'Name of the deployed app'),
  FLASH_ENV: text(undefined, 'Name of its environment'),
  FLASH_REMOTE_TIMEOUT_MS: positiveMilliseconds(300_000, 'Longest call of another endpoint'),
  FLASH_SENTINEL_TIMEOUT: read<number>(
    () => z.coerce.number().positive().max(2_000_000),
    90,
    'The same, in seconds, when the platform finds the endpoint',
  ),
  FLASH_REMOTE_CONNECT_ATTEMPTS: positiveInteger(
    3,
    'Attempts to reach another endpoint; what was sent is not sent again',
  ),
  FLASH_REMOTE_POLL_MS: positiveMilliseconds(
    1000,
    'Pause between two questions after a job that runsync did not wait for',
  ),
  FLASH_MAX_REMOTE_BYTES: positiveInteger(64 * 1024 * 1024, 'Largest answer of another endpoint'),
});

export type EndpointRouterSettings = SettingsOf<typeof endpointRouterSettingsSchema>;
