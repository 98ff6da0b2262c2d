import { z } from 'zod';

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
});

export type PythonPackagesSettings = z.output<typeof pythonPackagesSettingsSchema>;
