import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { AppError, type FlashManifest, flashManifestSchema, validationMessage } from '@flash/worker-core';

/** `flash_manifest.json`. */
export class ManifestFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** When it was written, in milliseconds; `undefined` when there is none. */
  async writtenAt(): Promise<number | undefined> {
    try {
      return (await stat(this.#path)).mtimeMs;
    } catch {
      return undefined;
    }
  }

  /**
   * The manifest; `undefined` when there is no file.
   *
   * @throws AppError for a file that holds none.
   */
  async read(): Promise<FlashManifest | undefined> {
    let text: string;
    try {
      text = await readFile(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw this.#broken((error as Error).message);
    }
    try {
      return parseManifest(JSON.parse(text));
    } catch (error) {
      throw this.#broken((error as Error).message);
    }
  }

  /** Replaces the file in one step: a reader sees the old one or the new one. */
  async replace(manifest: FlashManifest): Promise<void> {
    const aside = `${this.#path}.${randomBytes(4).toString('hex')}`;
    try {
      await writeFile(aside, JSON.stringify(manifest, undefined, 2), { flush: true });
      await rename(aside, this.#path);
    } catch (error) {
      await rm(aside, { force: true });
      throw error;
    }
  }

  #broken(reason: string): AppError {
    return new AppError(`${this.#path} is no manifest: ${reason}; build the app again`);
  }
}

/** @throws Error naming the field that is wrong. */
export function parseManifest(value: unknown): FlashManifest {
  const parsed = flashManifestSchema.safeParse(value);
  if (!parsed.success) throw new Error(validationMessage(parsed.error));
  return parsed.data;
}
