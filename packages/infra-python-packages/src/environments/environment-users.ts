import { randomUUID } from 'node:crypto';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Says in the directory which worker uses which environment, so that no worker removes one that another uses. A worker that looks
 * and then acts on what it saw holds the environment's lock meanwhile.
 */
export class EnvironmentUsers {
  readonly #directory: string;
  /** Several workers may live in one process. */
  readonly #name = `${process.pid}-${randomUUID().slice(0, 8)}`;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async enter(id: string): Promise<void> {
    await writeFile(this.#path(id, this.#name), '');
  }

  async leave(id: string): Promise<void> {
    await rm(this.#path(id, this.#name), { force: true });
  }

  async othersUse(id: string): Promise<boolean> {
    const prefix = `.user-${id}-`;
    const names = await readdir(this.#directory).catch((): string[] => []);
    let isUsed = false;
    for (const name of names.filter((candidate) => candidate.startsWith(prefix))) {
      const user = name.slice(prefix.length);
      if (user === this.#name) continue;
      if (this.isAlive(Number.parseInt(user, 10))) isUsed = true;
      else await rm(this.#path(id, user), { force: true });
    }
    return isUsed;
  }

  isAlive(pid: number): boolean {
    try {
      return process.kill(pid, 0);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EPERM';
    }
  }

  #path(id: string, user: string): string {
    return join(this.#directory, `.user-${id}-${user}`);
  }
}
