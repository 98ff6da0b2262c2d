import { homedir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';

/** Settings of system package installations by the environment variable that sets each. */
export const systemPackagesSettingsSchema = z.object({
  FLASH_INSTALL_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .positive()
    .default(300_000)
    .describe('Longest time of one installation step'),
  FLASH_APT_LISTS_MAX_AGE_MS: z.coerce
    .number()
    .int()
    .nonnegative()
    .default(86_400_000)
    .describe('Package lists older than this are updated before an installation'),
  FLASH_CACHE_DIR: z
    .string()
    .default(() => join(homedir(), '.cache'))
    .describe('The worker’s cache directory, which the network volume keeps'),
  FLASH_LARGE_SYSTEM_PACKAGES: z
    .string()
    .default(
      'build-essential,cmake,cuda*,ffmpeg,g++*,gcc*,gfortran*,libavcodec*,libboost*,libcudnn*,libgl*,libopencv*,llvm*,python3-dev,clang*',
    )
    .transform((list) => list.split(',').filter((name) => name !== ''))
    .describe('Packages worth nala’s parallel download, by name or prefix with "*", separated by commas'),
});

export type SystemPackagesSettings = z.output<typeof systemPackagesSettingsSchema>;
