import { randomUUID } from 'node:crypto';
import { readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isTagRunning, processTag, processTagPattern } from '@flash/process-lock';

/** A worker shows in this interval that it still uses its environments. */
const renewalMs = 2000;
/** One that can't be looked for from here, in another container, has ended when it has shown nothing for so long. */
const silenceMs = 15_000;

/**
 * Says in the directory which worker uses which environment, so that no worker removes one that another uses. A worker that looks
 * and then acts on what it saw holds the environment's lock meanwhile.
 */
export class EnvironmentUsers {
  readonly #directory: string;
  /** Several workers may live in one process. */
  readonly #name = `${processTag()}-${randomUUID().slice(0, 8)}`;
  readonly #used = new Set<string>();
  #renewal: NodeJS.Timeout | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async enter(id: string): Promise<void> {
    await writeFile(this.#path(id, this.#name), '');
    this.#used.add(id);
    this.#renewal ??= setInterval(() => void this.#renew(), renewalMs).unref();
  }

  async leave(id: string): Promise<void> {
    this.#used.delete(id);
    if (this.#used.size === 0) {
      clearInterval(this.#renewal);
      this.#renewal = undefined;
    }
    await rm(this.#path(id, this.#name), { force: true });
  }

  async othersUse(id: string): Promise<boolean> {
    const prefix = `.user-${id}-`;
    const names = await readdir(this.#directory).catch((): string[] => []);
    let isUsed = false;
    for (const name of names.filter((candidate) => candidate.startsWith(prefix))) {
      const user = name.slice(prefix.length);
      if (user === this.#name) continue;
      if (await this.#isUsing(join(this.#directory, name), user)) isUsed = true;
      else await rm(join(this.#directory, name), { force: true });
    }
    return isUsed;
  }

  async #renew(): Promise<void> {
    const now = new Date();
    for (const id of this.#used) await utimes(this.#path(id, this.#name), now, now).catch(() => {});
  }

  /** Of an earlier version's worker, whose name has no tag, only the age of the file tells. */
  async #isUsing(path: string, user: string): Promise<boolean> {
    const [, tag] = userPattern.exec(user) ?? [];
    const runs = tag === undefined ? undefined : isTagRunning(tag);
    if (runs !== undefined) return runs;
    const mtimeMs = await stat(path).then(
      (found) => found.mtimeMs,
      () => 0,
    );
    return Date.now() - mtimeMs < silenceMs;
  }

  #path(id: string, user: string): string {
    return join(this.#directory, `.user-${id}-${user}`);
  }
}

const userPattern = new RegExp(`^(${processTagPattern})-[0-9a-f]{8}$`);
