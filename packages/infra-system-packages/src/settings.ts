import { homedir } from 'node:os';
import { join } from 'node:path';
import {
  directory,
  defineSettings,
  milliseconds,
  positiveInteger,
  positiveMilliseconds,
  read,
  type SettingsOf,
} from '@flash/settings';
import * as z from 'zod';

const names = (list: string): string[] => list.split(',').filter((name) => name !== '');
const largePackages =
  'build-essential,cmake,cuda*,ffmpeg,g++*,gcc*,gfortran*,libavcodec*,libboost*,libcudnn*,libgl*,libopencv*,llvm*,python3-dev,clang*';

/** Settings of system package installations by the environment variable that sets each. */
export const systemPackagesSettingsSchema = defineSettings({
  FLASH_INSTALL_TIMEOUT_MS: positiveMilliseconds(300_000, 'Longest time of one installation step'),
  FLASH_APT_LISTS_MAX_AGE_MS: milliseconds(
    86_400_000,
    'Package lists older than this are updated before an installation',
  ),
  FLASH_CACHE_DIR: directory(
    () => join(homedir(), '.cache'),
    'The worker’s cache directory, which the network volume keeps',
  ),
  FLASH_MAX_PROMISED_REQUIREMENTS: positiveInteger(
    1000,
    'Requirements of earlier requests that later installations must leave met: Python’s in the one interpreter, and system packages; the one asked for longest ago is forgotten',
  ),
  FLASH_LARGE_SYSTEM_PACKAGES: read<string[]>(
    () => z.string().transform(names),
    () => names(largePackages),
    'Packages worth nala’s parallel download, by name or prefix with "*", separated by commas',
  ),
});

export type SystemPackagesSettings = SettingsOf<typeof systemPackagesSettingsSchema>;
