import { positiveInteger, defineSettings, milliseconds, read, type SettingsOf, text } from '@flash/settings';
import * as z from 'zod';

/**
 * Settings of the manifest and its source by the environment variable that sets each (docs/reference/protocol.md, Environment variables and
 * Manifest).
 */
export const manifestSettingsSchema = defineSettings({
  RUNPOD_API_KEY: text(undefined, 'The user’s key: State Manager, calls of other endpoints'),
  RUNPOD_API_BASE_URL: read<string>(
    () => z.url(),
    'https://api.runpod.io',
    'Control plane; GraphQL at /graphql',
  ),
  FLASH_ENVIRONMENT_ID: text(
    undefined,
    'Environment of the deployed app; its manifest is asked for at the State Manager',
  ),
  FLASH_MANIFEST_TTL_MS: milliseconds(
    300_000,
    'Age from which on the manifest is asked for anew before a call of another endpoint',
  ),
  FLASH_MANIFEST_RETRY_MS: milliseconds(30_000, 'Time for which a State Manager that failed is left alone'),
  FLASH_MANIFEST_ATTEMPTS: positiveInteger(3, 'Attempts of one refresh'),
  FLASH_MANIFEST_TIMEOUT_MS: milliseconds(10_000, 'Time the State Manager has for one answer'),
  FLASH_MANIFEST_MAX_BYTES: positiveInteger(16 * 1024 * 1024, 'Largest answer of the State Manager'),
});

export type ManifestSettings = SettingsOf<typeof manifestSettingsSchema>;
