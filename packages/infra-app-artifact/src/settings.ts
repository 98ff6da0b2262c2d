import * as z from 'zod';

const flag = z.string().transform((text) => ['1', 'true', 'yes'].includes(text.toLowerCase()));

/** Settings of the app artifact by the environment variable that sets each (contract, sections 4 and 7). */
export const appArtifactSettingsSchema = z.object({
  FLASH_BUILD_ARTIFACT_PATH: z
    .string()
    .default('/root/.runpod/artifact.tar.gz')
    .describe('The deployed app’s artifact, a tar archive, gzipped or plain'),
  FLASH_DISABLE_UNPACK: flag.default(false).describe('1, true, yes: the app is in its directory already'),
  FLASH_UNPACK_ATTEMPTS: z.coerce
    .number()
    .int()
    .positive()
    .default(3)
    .describe('Attempts to unpack the artifact'),
  FLASH_UNPACK_INTERVAL_MS: z.coerce
    .number()
    .int()
    .nonnegative()
    .default(30_000)
    .describe('Pause between two of them'),
  FLASH_ARTIFACT_MAX_MEMBERS: z.coerce
    .number()
    .int()
    .positive()
    .default(500_000)
    .describe('Most files and directories of an artifact'),
  FLASH_ARTIFACT_MAX_BYTES: z.coerce
    .number()
    .int()
    .positive()
    .default(16 * 1024 ** 3)
    .describe('Most bytes of an artifact when it is unpacked'),
});

export type AppArtifactSettings = z.output<typeof appArtifactSettingsSchema>;
