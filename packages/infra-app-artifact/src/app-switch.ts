import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { isTagRunning, processTag, processTagPattern, withLock } from '@flash/process-lock';

const lockTimeoutMs = 60_000;
/** A directory that is being unpacked for longer was left by a process that is gone. */
const longestUnpackMs = 3_600_000;

/** Makes room beside a directory for its next content, on the same file system, and switches that in. */
export class AppSwitch {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = resolve(directory);
  }

  /** An empty directory for the next content. */
  async stage(): Promise<string> {
    await mkdir(dirname(this.#directory), { recursive: true });
    const staging = join(await this.#home(), this.#name('staging'));
    await mkdir(staging, { mode: 0o755 });
    return staging;
  }

  /** Does `work` while no other process switches. */
  async alone(work: () => Promise<void>): Promise<void> {
    const path = join(dirname(this.#directory), `.${basename(this.#directory)}-lock`);
    await withLock(path, lockTimeoutMs, work);
  }

  /** Puts staged content in the directory's place. A process that looks finds the old content or the new one, whole. */
  async switchIn(staging: string): Promise<void> {
    if (dirname(staging) === this.#directory) return this.#fillIn(staging);
    const old = join(dirname(this.#directory), this.#name('old'));
    await rename(this.#directory, old).catch(unlessMissing);
    try {
      await rename(staging, this.#directory);
    } finally {
      await rm(old, { recursive: true, force: true });
    }
  }

  /** Removes what processes that were killed have left. */
  async removeLeftovers(): Promise<void> {
    for (const home of [dirname(this.#directory), this.#directory]) {
      const names = await readdir(home).catch(() => []);
      for (const name of names) {
        const tag = this.#leftover.exec(name)?.[1];
        if (tag !== undefined && (await isAbandoned(join(home, name), tag)))
          await rm(join(home, name), { recursive: true, force: true });
      }
    }
  }

  /** Beside the directory; inside of it when it is a file system of its own, or the process's own working directory. */
  async #home(): Promise<string> {
    const beside = dirname(this.#directory);
    const here = await stat(this.#directory).catch(() => undefined);
    if (here === undefined) return beside;
    const isMount = here.dev !== (await stat(beside)).dev;
    return isMount || resolve(process.cwd()) === this.#directory ? this.#directory : beside;
  }

  /** A directory that can't be renamed gets its new content piece by piece. It counts when its mark is written, which comes last. */
  async #fillIn(staging: string): Promise<void> {
    for (const name of await readdir(staging)) {
      await rm(join(this.#directory, name), { recursive: true, force: true });
      await rename(join(staging, name), join(this.#directory, name));
    }
    await rm(staging, { recursive: true, force: true });
  }

  #name(what: string): string {
    return `.${basename(this.#directory)}-${what}-${processTag()}-${randomBytes(4).toString('hex')}`;
  }

  get #leftover(): RegExp {
    const name = basename(this.#directory).replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return new RegExp(`^\\.${name}-(?:staging|old)-(${processTagPattern})-[0-9a-f]{8}$`);
  }
}

/** A process in another container can't be looked for from here: the age of what it left tells whether it is gone. */
async function isAbandoned(path: string, tag: string): Promise<boolean> {
  const isRunning = isTagRunning(tag);
  if (isRunning !== undefined) return !isRunning;
  const { ctimeMs } = await stat(path).catch(() => ({ ctimeMs: Date.now() }));
  return Date.now() - ctimeMs > longestUnpackMs;
}

function unlessMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
