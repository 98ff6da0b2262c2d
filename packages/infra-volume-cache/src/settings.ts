import { homedir } from 'node:os';
import { join } from 'node:path';
import {
  directory,
  positiveInteger,
  nonNegativeInteger,
  defineSettings,
  integer,
  milliseconds,
  read,
  type SettingsOf,
} from '@flash/settings';
import * as z from 'zod';

const MiB = 1024 * 1024;

/** Settings of the volume cache by the environment variable that sets each (docs/reference/protocol.md, Places). */
export const volumeCacheSettingsSchema = defineSettings({
  FLASH_CACHE_DIR: directory(
    () => join(homedir(), '.cache'),
    'The worker’s cache directory, which the network volume keeps',
  ),
  FLASH_VOLUME_DIR: directory(
    '/runpod-volume',
    'Where the network volume is mounted; without it, and without RUNPOD_ENDPOINT_ID, nothing is kept',
  ),
  FLASH_CACHE_EXCLUDE: read<string[]>(
    () => z.string().transform((globs) => globs.split(',').flatMap((glob) => glob.trim() || [])),
    ['**/*.incomplete'],
    'Globs of paths in the cache that are not kept, separated by commas; **/refs/** and **/.no_exist/** never are',
  ),
  FLASH_CACHE_MAX_BYTES: nonNegativeInteger(
    0,
    'Most bytes of an endpoint’s cache on the volume; the least recently used segments go. 0: no bound',
  ),
  FLASH_CACHE_SEGMENT_BYTES: positiveInteger(256 * MiB, 'Size at which a segment of the cache is closed'),
  FLASH_CACHE_BIG_FILE_BYTES: positiveInteger(
    64 * MiB,
    'Files from this size are segments of their own, never written again',
  ),
  FLASH_CACHE_COMPACT_AT: integer(
    [2, 1_000_000],
    16,
    'Small segments that are merged into one when there are so many',
  ),
  FLASH_CACHE_COMPACT_GRACE_MS: milliseconds(
    600_000,
    'Time merged segments stay for workers that still read them',
  ),
  FLASH_CACHE_THREADS: integer([1, 32], 2, 'Threads that bring a large cache from the volume'),
  FLASH_CACHE_SYNC_DELAY_MS: milliseconds(
    10_000,
    'Time between a run and the look for what it has added to the cache',
  ),
  FLASH_CACHE_FULL_SCAN_MS: milliseconds(
    600_000,
    'Period of looking at every file instead of every directory, for files that were written in place',
  ),
  FLASH_CACHE_HYDRATE_TIMEOUT_MS: milliseconds(
    120_000,
    'Longest a request waits for the cache to come from the volume; then it goes on without. 0: no bound',
  ),
  FLASH_CACHE_CLOSE_MS: milliseconds(5000, 'Longest the shutdown waits for the last sync'),
});

export type VolumeCacheSettings = SettingsOf<typeof volumeCacheSettingsSchema>;
