import { defineSettings, nonNegativeInteger, read, type SettingsOf } from '@flash/settings';
import * as z from 'zod';

/** Unlike other flags these refuse a word that is neither: a check that was switched off by accident would be missed. */
const strictFlag = (description: string) =>
  read<boolean | undefined>(
    () =>
      z
        .string()
        .transform((text) => text.toLowerCase())
        .pipe(z.enum(['true', 'false', '1', '0', 'yes', 'no']))
        .transform((text) => text === 'true' || text === '1' || text === 'yes'),
    undefined,
    description,
  );

/** Settings of the built-in fitness checks by the environment variable that sets each (docs/reference/protocol.md, Ping). */
export const fitnessSettingsSchema = defineSettings({
  FLASH_MIN_MEMORY_BYTES: nonNegativeInteger(
    64 * 1024 * 1024,
    'Memory that must be available for the worker to serve; 0: any',
  ),
  FLASH_MIN_TMP_BYTES: nonNegativeInteger(
    16 * 1024 * 1024,
    'Space the temporary directory must have for the worker to serve; 0: any',
  ),
  FLASH_MIN_TMP_FILES: nonNegativeInteger(
    64,
    'Files (inodes) the temporary directory must have room for; 0: any',
  ),
  FLASH_MIN_OPEN_FILES: nonNegativeInteger(
    256,
    'Files a process must be allowed to open (ulimit -n); 0: any',
  ),
  FLASH_EXPECT_GPU: strictFlag(
    'Whether there must be a working GPU; default: when RUNPOD_GPU_COUNT or an NVIDIA device says so',
  ),
  RUNPOD_GPU_COUNT: read<number | undefined>(
    () => z.coerce.number().int().nonnegative().optional().catch(undefined),
    undefined,
    'GPUs of this worker, as the platform says',
  ),
  RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: strictFlag('true: memory and temporary space are not checked'),
  RUNPOD_SKIP_GPU_CHECK: strictFlag('true: the GPU is not checked'),
});

export type FitnessSettings = SettingsOf<typeof fitnessSettingsSchema>;
