import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, rmdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRunning, readIdentity, thisProcess } from '@flash/process-lock';
import type { Log } from '@flash/worker-core';

/** File that says which process a folder belongs to; every folder in use has one. */
const ownerName = 'owner.json';
/** Begins the name of a folder that has no owner yet. */
const unfinished = '.new-';

export interface OutboxFolderOptions {
  /** The directory of all processes of one worker id. */
  readonly directory: string;
  /** A process of another container or machine is gone when nothing was seen of it for so long, in milliseconds. */
  readonly leaseMs: number;
  readonly log: Log;
}

/**
 * The folder of one process's results, beside those of other processes with the same worker id and state directory: one that ran before, or
 * one that runs at the same time, here or on another machine. What a process that is gone has left becomes this one's.
 *
 * No lock is held that could outlive its process: every process has a folder of its own, and takes files out of another by renaming them, which of two
 * processes only one can do.
 */
export class OutboxFolder {
  readonly path: string;
  readonly #options: OutboxFolderOptions;
  readonly #name = randomBytes(6).toString('hex');
  /** When another's owner file was last seen to change, on the clock of `performance.now()`: clocks of machines differ. */
  readonly #seen = new Map<string, { readonly mtimeMs: number; readonly at: number }>();
  #hasWarned = false;

  constructor(options: OutboxFolderOptions) {
    this.#options = options;
    this.path = join(options.directory, this.#name);
  }

  /** Makes the folder, also when another process has taken this one for gone and has moved what was in it. */
  async create(): Promise<void> {
    const { directory } = this.#options;
    const aside = join(directory, `${unfinished}${this.#name}`);
    await mkdir(aside, { recursive: true, mode: 0o700 });
    await writeFile(join(aside, ownerName), JSON.stringify(thisProcess()));
    await rename(aside, this.path);
  }

  /** Shows that this process lives. */
  async renew(): Promise<void> {
    const now = new Date();
    await utimes(join(this.path, ownerName), now, now).catch(() => {});
  }

  /**
   * Moves the files that processes which are gone have left into this folder.
   *
   * @returns their names.
   */
  async collect(): Promise<readonly string[]> {
    const { directory } = this.#options;
    const names: string[] = [];
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.name === this.#name) continue;
      // Versions before this one kept results without folders.
      if (entry.isFile()) names.push(...(await this.#take(path, entry.name)));
      else if (entry.isDirectory() && (await this.#isAbandoned(entry.name)))
        names.push(...(await this.#empty(path)));
    }
    return names;
  }

  /** Lets go of the folder: what is left in it belongs to the next process. */
  async close(): Promise<void> {
    await rm(join(this.path, ownerName), { force: true });
    // A directory that still holds something can't be removed, and stays.
    await rmdir(this.path).catch(() => {});
    await rmdir(this.#options.directory).catch(() => {});
  }

  async #isAbandoned(name: string): Promise<boolean> {
    const { directory, leaseMs } = this.#options;
    const owner = join(directory, name, ownerName);
    const found = await Promise.all([readFile(owner, 'utf8'), stat(owner)]).catch(() => undefined);
    if (found === undefined) return !name.startsWith(unfinished);
    const [content, { mtimeMs }] = found;
    const identity = readIdentity(content);
    const runs = identity && isRunning(identity);
    if (runs === false) return true;
    this.#warnOnce(content);
    if (runs === true) return false;
    const seen = this.#seen.get(name);
    if (seen?.mtimeMs === mtimeMs) return performance.now() - seen.at >= leaseMs;
    this.#seen.set(name, { mtimeMs, at: performance.now() });
    return false;
  }

  #warnOnce(owner: string): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    this.#options.log.write(
      'warn',
      'another process has the same RUNPOD_POD_ID and FLASH_STATE_DIR: each keeps its own results',
      { directory: this.#options.directory, owner },
    );
  }

  async #empty(folder: string): Promise<readonly string[]> {
    const names: string[] = [];
    for (const name of await readdir(folder).catch(() => []))
      if (name !== ownerName) names.push(...(await this.#take(join(folder, name), name)));
    await rm(join(folder, ownerName), { force: true });
    await rmdir(folder).catch(() => {});
    return names;
  }

  /** @returns the name, unless another process was quicker. */
  async #take(path: string, name: string): Promise<readonly string[]> {
    try {
      await rename(path, join(this.path, name));
      return [name];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }
}
