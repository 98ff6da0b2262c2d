import * as z from 'zod';

const bytes = z.coerce.number().int().nonnegative();
const flag = z
  .string()
  .transform((text) => text.toLowerCase())
  .pipe(z.enum(['true', 'false', '1', '0', 'yes', 'no']))
  .transform((text) => text === 'true' || text === '1' || text === 'yes');

/** Settings of the built-in fitness checks by the environment variable that sets each (contract, section 5). */
export const fitnessSettingsSchema = z.object({
  FLASH_MIN_MEMORY_BYTES: bytes
    .default(64 * 1024 * 1024)
    .describe('Memory that must be available for the worker to serve; 0: any'),
  FLASH_MIN_TMP_BYTES: bytes
    .default(16 * 1024 * 1024)
    .describe('Space the temporary directory must have for the worker to serve; 0: any'),
  FLASH_EXPECT_GPU: flag
    .optional()
    .describe(
      'Whether there must be a working GPU; default: when RUNPOD_GPU_COUNT or an NVIDIA device says so',
    ),
  RUNPOD_GPU_COUNT: z.coerce
    .number()
    .int()
    .nonnegative()
    .optional()
    .catch(undefined)
    .describe('GPUs of this worker, as the platform says'),
  RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: flag
    .optional()
    .describe('true: memory and temporary space are not checked'),
  RUNPOD_SKIP_GPU_CHECK: flag.optional().describe('true: the GPU is not checked'),
});

export type FitnessSettings = z.output<typeof fitnessSettingsSchema>;
