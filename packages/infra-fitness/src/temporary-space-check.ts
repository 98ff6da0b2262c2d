import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FitnessCheck, UnfitError } from '@flash/worker-core';

/** What the temporary directory must have left. */
export interface LeastSpace {
  readonly minBytes: number;
  /** Inodes. */
  readonly minFiles: number;
}

/** Can the temporary directory be written to, and are there space and inodes left? */
export class TemporarySpaceCheck implements FitnessCheck {
  readonly name = 'temporary-space';
  readonly #directory: string;
  readonly #least: LeastSpace;

  constructor(directory: string, least: LeastSpace) {
    this.#directory = directory;
    this.#least = least;
  }

  async check(): Promise<void> {
    const { minBytes, minFiles } = this.#least;
    const { bytes, files } = await this.#left();
    // What keeps it from being written to is said best by what it lacks.
    if (files !== undefined && files < minFiles)
      throw this.#unfit(
        `has room for ${files} more files (inodes: df -i) and FLASH_MIN_TMP_FILES is ${minFiles}`,
      );
    if (bytes !== undefined && bytes < minBytes)
      throw this.#unfit(`has ${bytes} bytes left and FLASH_MIN_TMP_BYTES is ${minBytes}`);
    await this.#tryOut();
  }

  #unfit(
    what: string,
    advice = 'remove files there, or set TMPDIR to a directory on another disk',
    cause?: unknown,
  ): UnfitError {
    return new UnfitError(this.name, `the temporary directory ${this.#directory} ${what}: ${advice}`, {
      cause,
    });
  }

  /** Systems of files that count none of them say 0 of 0. */
  async #left(): Promise<{ bytes: number | undefined; files: number | undefined }> {
    try {
      const { bavail, bsize, files, ffree } = await statfs(this.#directory);
      return { bytes: bavail * bsize, files: files === 0 ? undefined : ffree };
    } catch {
      return { bytes: undefined, files: undefined };
    }
  }

  async #tryOut(): Promise<void> {
    try {
      const own = await mkdtemp(join(this.#directory, 'flash-check-'));
      try {
        await writeFile(join(own, 'written'), 'x'.repeat(4096));
      } finally {
        await rm(own, { recursive: true, force: true });
      }
    } catch (cause) {
      const advice = 'set TMPDIR to a directory that can';
      throw this.#unfit(`can't be written to (${(cause as Error).message})`, advice, cause);
    }
  }
}
