import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Says in the directory which worker uses which environment, so that none is removed under another's hands. */
export class EnvironmentUsers {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async enter(id: string): Promise<void> {
    await writeFile(this.#path(id, process.pid), '');
  }

  /** @returns whether another worker uses it. */
  async leave(id: string): Promise<boolean> {
    await rm(this.#path(id, process.pid), { force: true });
    return this.othersUse(id);
  }

  async othersUse(id: string): Promise<boolean> {
    const prefix = `.user-${id}-`;
    const names = await readdir(this.#directory).catch((): string[] => []);
    let isUsed = false;
    for (const name of names.filter((candidate) => candidate.startsWith(prefix))) {
      const pid = Number(name.slice(prefix.length));
      if (pid === process.pid) continue;
      if (this.isAlive(pid)) isUsed = true;
      else await rm(this.#path(id, pid), { force: true });
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

  #path(id: string, pid: number): string {
    return join(this.#directory, `.user-${id}-${pid}`);
  }
}
