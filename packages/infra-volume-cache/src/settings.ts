import { homedir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';

const bytes = (fallback: number) => z.coerce.number().int().positive().default(fallback);
const ms = (fallback: number) => z.coerce.number().int().nonnegative().default(fallback);
const MiB = 1024 * 1024;

/** Settings of the volume cache by the environment variable that sets each (contract, section 4). */
export const volumeCacheSettingsSchema = z.object({
  FLASH_CACHE_DIR: z
    .string()
    .default(() => join(homedir(), '.cache'))
    .describe('The worker’s cache directory, which the network volume keeps'),
  FLASH_VOLUME_DIR: z
    .string()
    .default('/runpod-volume')
    .describe(
      'Where the network volume is mounted; without it, and without RUNPOD_ENDPOINT_ID, nothing is kept',
    ),
  FLASH_CACHE_EXCLUDE: z
    .string()
    .default('**/*.incomplete')
    .transform((text) => text.split(',').flatMap((glob) => glob.trim() || []))
    .describe(
      'Globs of paths in the cache that are not kept, separated by commas; **/refs/** and **/.no_exist/** never are',
    ),
  FLASH_CACHE_MAX_BYTES: z.coerce
    .number()
    .int()
    .nonnegative()
    .default(0)
    .describe(
      'Most bytes of an endpoint’s cache on the volume; the least recently used segments go. 0: no bound',
    ),
  FLASH_CACHE_SEGMENT_BYTES: bytes(256 * MiB).describe('Size at which a segment of the cache is closed'),
  FLASH_CACHE_BIG_FILE_BYTES: bytes(64 * MiB).describe(
    'Files from this size are segments of their own, never written again',
  ),
  FLASH_CACHE_COMPACT_AT: z.coerce
    .number()
    .int()
    .min(2)
    .default(16)
    .describe('Small segments that are merged into one when there are so many'),
  FLASH_CACHE_COMPACT_GRACE_MS: ms(600_000).describe(
    'Time merged segments stay for those who still read them',
  ),
  FLASH_CACHE_THREADS: z.coerce
    .number()
    .int()
    .positive()
    .max(32)
    .default(2)
    .describe('Threads that bring a large cache from the volume'),
  FLASH_CACHE_SYNC_DELAY_MS: ms(10_000).describe(
    'Time between a run and the look for what it has added to the cache',
  ),
  FLASH_CACHE_FULL_SCAN_MS: ms(600_000).describe(
    'Period of looking at every file instead of every directory, for files that were written in place',
  ),
  FLASH_CACHE_HYDRATE_TIMEOUT_MS: ms(120_000).describe(
    'Longest a request waits for the cache to come from the volume; then it goes on without. 0: no bound',
  ),
  FLASH_CACHE_CLOSE_MS: ms(5000).describe('Longest the shutdown waits for the last sync'),
});

export type VolumeCacheSettings = z.output<typeof volumeCacheSettingsSchema>;
