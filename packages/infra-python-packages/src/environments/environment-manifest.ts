import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';

const name = 'flash-environment.json';
const manifestSchema = z.lazy(() => z.object({ requirements: z.array(z.string()) }));

/** Writes into an environment which requirements it was made for. An environment without this file is not used. */
export async function writeEnvironmentManifest(
  directory: string,
  requirements: readonly string[],
): Promise<void> {
  await writeFile(join(directory, name), JSON.stringify({ requirements }));
}

/** The requirements an environment was made for; `undefined` when the directory is no environment. */
export async function readEnvironmentManifest(directory: string): Promise<readonly string[] | undefined> {
  try {
    return manifestSchema.parse(JSON.parse(await readFile(join(directory, name), 'utf8'))).requirements;
  } catch {
    return undefined;
  }
}
