import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FitnessCheck, UnfitError } from '@flash/worker-core';

/** Can the temporary directory be written to, and is there space left? */
export class TemporarySpaceCheck implements FitnessCheck {
  readonly name = 'temporary-space';
  readonly #directory: string;
  readonly #minBytes: number;

  constructor(directory: string, minBytes: number) {
    this.#directory = directory;
    this.#minBytes = minBytes;
  }

  async check(): Promise<void> {
    const free = await this.#tryOut();
    if (free >= this.#minBytes) return;
    throw new UnfitError(
      this.name,
      `${this.#directory} has ${free} bytes left and FLASH_MIN_TMP_BYTES is ${this.#minBytes}`,
    );
  }

  /** @returns bytes left. */
  async #tryOut(): Promise<number> {
    try {
      const own = await mkdtemp(join(this.#directory, 'flash-check-'));
      try {
        await writeFile(join(own, 'written'), 'x'.repeat(4096));
      } finally {
        await rm(own, { recursive: true, force: true });
      }
      const { bavail, bsize } = await statfs(this.#directory);
      return bavail * bsize;
    } catch (cause) {
      throw new UnfitError(
        this.name,
        `${this.#directory} can't be written to: ${(cause as Error).message}; set TMPDIR to a directory that can`,
        { cause },
      );
    }
  }
}
