import { defineSettings, flag, milliseconds, positiveInteger, type SettingsOf, text } from '@flash/settings';

/** Settings of the app artifact by the environment variable that sets each (docs/reference/protocol.md, Environment variables and App artifact). */
export const appArtifactSettingsSchema = defineSettings({
  FLASH_BUILD_ARTIFACT_PATH: text(
    '/root/.runpod/artifact.tar.gz',
    'The deployed app’s artifact, a tar archive: plain, or compressed with gzip, bzip2, xz or zstd',
  ),
  FLASH_DISABLE_UNPACK: flag(false, '1, true, yes: the app is in its directory already'),
  FLASH_UNPACK_ATTEMPTS: positiveInteger(3, 'Attempts to unpack the artifact'),
  FLASH_UNPACK_INTERVAL_MS: milliseconds(30_000, 'Pause between two of them'),
  FLASH_ARTIFACT_MAX_MEMBERS: positiveInteger(500_000, 'Most files and directories of an artifact'),
  FLASH_ARTIFACT_MAX_BYTES: positiveInteger(16 * 1024 ** 3, 'Most bytes of an artifact when it is unpacked'),
  FLASH_ARTIFACT_MAX_MEMORY_BYTES: positiveInteger(
    256 * 1024 ** 2,
    'Most memory that an artifact of xz or zstd may want while it is decompressed',
  ),
});

export type AppArtifactSettings = SettingsOf<typeof appArtifactSettingsSchema>;
