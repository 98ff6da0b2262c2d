import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Ends the name of a file that was opened ahead and holds no result yet. */
export const spareSuffix = '.new';

/** What is written is durable when the write returns: one wait for the disk instead of two. */
const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_DSYNC;

/**
 * Writes files that are whole and durable before they have their name. The next file is opened ahead of time: that is one wait less
 * between a result and its first post.
 */
export class SpareFile {
  readonly #directory: string;
  #number = 0;
  #next: Promise<Opened> | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Opens the first file. */
  async prepare(): Promise<void> {
    this.#next = this.#open();
    await this.#next;
  }

  /** Writes a file and gives it its name, replacing what had it. */
  async write(name: string, pieces: readonly Uint8Array[]): Promise<void> {
    const opened = this.#next ?? this.#open();
    // Taken before the wait: another write must not get the same file.
    this.#next = undefined;
    const { path, file } = await opened;
    try {
      await file.writev(pieces as Uint8Array[]);
      await rename(path, join(this.#directory, name));
    } finally {
      void file.close().catch(() => {});
      // Another write may have opened one already.
      this.#next ??= this.#open();
      // The next write awaits this promise, and is told of its failure.
      this.#next.catch(() => {});
    }
  }

  /** Removes the file that was opened ahead. */
  async close(): Promise<void> {
    const spare = await this.#next?.catch(() => undefined);
    if (spare === undefined) return;
    await spare.file.close();
    await rm(spare.path, { force: true });
  }

  async #open(): Promise<Opened> {
    const path = join(this.#directory, `spare-${process.pid}-${this.#number++}${spareSuffix}`);
    return { path, file: await open(path, flags, 0o600) };
  }
}

interface Opened {
  readonly path: string;
  readonly file: FileHandle;
}
