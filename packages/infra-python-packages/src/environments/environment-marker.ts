import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';

const name = 'flash-environment.json';
const markerSchema = z.lazy(() => z.object({ requirements: z.array(z.string()) }));

/** Says in an environment what it was made for. One without is not whole. */
export async function writeMarker(directory: string, requirements: readonly string[]): Promise<void> {
  await writeFile(join(directory, name), JSON.stringify({ requirements }));
}

/** The requirements an environment was made for; `undefined` when it is none. */
export async function readMarker(directory: string): Promise<readonly string[] | undefined> {
  try {
    return markerSchema.parse(JSON.parse(await readFile(join(directory, name), 'utf8'))).requirements;
  } catch {
    return undefined;
  }
}
