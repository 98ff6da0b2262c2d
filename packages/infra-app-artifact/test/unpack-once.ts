/** One process that unpacks: `node unpack-once.ts ARTIFACT DIRECTORY`. Prints "ready" and what the app holds. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { appArtifactSettingsSchema, TarAppArtifact } from '../src/index.ts';

const [artifact = '', appDirectory = ''] = process.argv.slice(2);
const source = new TarAppArtifact({
  appDirectory,
  log: {
    write: (level, message, fields) =>
      process.stderr.write(`${JSON.stringify({ level, message, ...fields })}\n`),
  },
  settings: appArtifactSettingsSchema.parse({
    FLASH_BUILD_ARTIFACT_PATH: artifact,
    FLASH_UNPACK_INTERVAL_MS: '10',
  }),
});
await source.prepare(new AbortController().signal);
process.stdout.write(`ready ${readFileSync(join(appDirectory, 'version'), 'utf8')}`);
