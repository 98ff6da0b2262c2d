import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';

const resolutionSchema = z.lazy(() =>
  z.object({ requirements: z.array(z.string()), pins: z.array(z.string()) }),
);
let writes = 0;

/**
 * What sets of requirements were resolved to: exact packages, so that no set is resolved twice. They are kept in the cache directory, and
 * with it on the volume.
 */
export class Resolutions {
  readonly #directory: string;

  constructor(cacheDirectory: string) {
    this.#directory = join(cacheDirectory, 'flash/resolutions');
  }

  /** The packages to add to the base; `undefined` when the set has not been seen. */
  async find(id: string): Promise<readonly string[] | undefined> {
    try {
      return resolutionSchema.parse(JSON.parse(await readFile(this.#path(id), 'utf8'))).pins;
    } catch {
      // The file is not there or can't be read: the set is resolved anew, and the file written anew.
      return undefined;
    }
  }

  /** Remembers a resolution. Never rejects: without the file a set is resolved once more. */
  async note(id: string, requirements: readonly string[], pins: readonly string[]): Promise<void> {
    const aside = join(this.#directory, `.${id}.${process.pid}.${writes++}`);
    try {
      await mkdir(this.#directory, { recursive: true });
      await writeFile(aside, JSON.stringify({ requirements, pins }));
      await rename(aside, this.#path(id));
    } catch {
      // The note is lost, and the next worker resolves the set anew.
    }
  }

  #path(id: string): string {
    return join(this.#directory, `${id}.json`);
  }
}
