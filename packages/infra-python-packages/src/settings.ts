import { homedir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';

/** Settings of Python installations by the environment variable that sets each. */
export const pythonPackagesSettingsSchema = z.object({
  FLASH_UV: z
    .string()
    .optional()
    .describe('Path of uv; default: the one beside the Python interpreter, else on PATH'),
  FLASH_INSTALL_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .positive()
    .default(300_000)
    .describe('Longest time of one installation step'),
  FLASH_CACHE_DIR: z
    .string()
    .default(() => join(homedir(), '.cache'))
    .describe('The worker’s cache directory, which the network volume keeps'),
  FLASH_ENVIRONMENTS: z
    .enum(['shared', 'isolated'])
    .default('shared')
    .describe(
      'Where Python packages go: shared: into the one interpreter, as ever; isolated: each distinct set of dependencies has an environment of its own above the image’s packages',
    ),
  FLASH_ENVIRONMENTS_DIR: z
    .string()
    .default(() => join(homedir(), '.flash/environments'))
    .describe('Where environments are; best on the file system of FLASH_CACHE_DIR'),
  FLASH_MAX_ENVIRONMENTS: z.coerce
    .number()
    .int()
    .positive()
    .default(8)
    .describe('Most environments on the local disk; the least recently used one goes'),
  FLASH_ENVIRONMENTS_MAX_BYTES: z.coerce
    .number()
    .int()
    .nonnegative()
    .default(20 * 1024 ** 3)
    .describe('Most bytes of all environments on the local disk; 0: no bound'),
  FLASH_PREWARM_ENVIRONMENTS: z.coerce
    .number()
    .int()
    .nonnegative()
    .default(1)
    .describe(
      'Environments that a new worker brings from the volume ahead of the first request, the last used ones first',
    ),
});

export type PythonPackagesSettings = z.output<typeof pythonPackagesSettingsSchema>;
