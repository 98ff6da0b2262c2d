import { randomUUID } from 'node:crypto';
import { lstat, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isTagRunning, processTag, processTagPattern } from '@flash/process-lock';
import { readEnvironmentManifest } from './environment-manifest.ts';
import { EnvironmentUsers } from './environment-users.ts';
import { exclusively } from './machine-lock.ts';

/** An environment on the local disk. */
export interface LocalEnvironment {
  readonly id: string;
  readonly path: string;
  /** A file that exists once the whole environment has arrived. */
  readonly completionFile: string;
  readonly requirements: readonly string[];
  /** Requests that need it now. */
  uses: number;
  /** Whether it is being written to the volume. */
  isBeingKept: boolean;
  /** A part of it will not come any more: it is removed when no request uses it. */
  isPartial: boolean;
  /** `undefined`: not counted yet. */
  bytes: number | undefined;
}

const idPattern = /^[0-9a-f]{12}-[0-9a-f]{24}$/;
/** How often another worker's work on the same environment is looked at. */
const pollMs = 50;
/** Longest wait for the lock: the work that is done while it is held takes milliseconds. */
const lockTimeoutMs = 30_000;
const leftoverPattern = new RegExp(
  `^\\.(?:building|removing)-([0-9a-f]{12}-[0-9a-f]{24})-(${processTagPattern}|\\d+)(?:-[0-9a-f]{8})?$`,
);

/** The directory of environments. Other workers of this machine may use the same one. */
export class LocalEnvironments {
  readonly path: string;
  readonly #users: EnvironmentUsers;
  /** Least recently used first. */
  readonly #environments = new Map<string, LocalEnvironment>();

  constructor(path: string) {
    this.path = path;
    this.#users = new EnvironmentUsers(path);
  }

  /** Reads what is there from earlier, and removes what killed workers have left half done. */
  async open(): Promise<void> {
    await mkdir(this.path, { recursive: true });
    const found: { id: string; at: number }[] = [];
    for (const name of await readdir(this.path)) {
      const path = join(this.path, name);
      if (idPattern.test(name)) {
        const at = await this.#madeAt(name);
        if (at === undefined) await this.#discardUnlessUsed(name);
        else found.push({ id: name, at });
      }
      const [, id, tag] = leftoverPattern.exec(name) ?? [];
      if (id !== undefined && tag !== undefined && (await this.#isAbandoned(id, tag)))
        await rm(path, { recursive: true, force: true });
    }
    for (const { id } of found.sort((one, other) => one.at - other.at)) await this.add(id);
  }

  pathOf(id: string): string {
    return join(this.path, id);
  }

  /** Path of the file that exists once the whole environment has arrived. */
  completionFileOf(id: string): string {
    return join(this.path, `.complete-${id}`);
  }

  /** Where an environment is made before it appears. */
  asideOf(id: string): string {
    return join(this.path, `.building-${id}-${processTag()}`);
  }

  get count(): number {
    return this.#environments.size;
  }

  get(id: string): LocalEnvironment | undefined {
    return this.#environments.get(id);
  }

  /**
   * Claims an environment's place for this worker, which is about to make it: other workers neither make nor remove it meanwhile. Waits for
   * another worker that is making it.
   *
   * @returns the environment when another worker has made it.
   */
  async begin(id: string, signal: AbortSignal): Promise<LocalEnvironment | undefined> {
    while (true) {
      const outcome = await this.#exclusively(id, () => this.#tryBegin(id), signal);
      if (outcome === 'begun') return undefined;
      if (outcome !== 'busy') return outcome;
      await delay(pollMs, undefined, { signal });
    }
  }

  /** Writes the completion file: from now on every worker finds the environment. */
  async complete(id: string): Promise<LocalEnvironment | undefined> {
    await writeFile(this.completionFileOf(id), '');
    return this.add(id);
  }

  /** Gives the place up that {@link begin} claimed, and removes what is in it. */
  async abandon(id: string): Promise<void> {
    await this.#users.leave(id);
    await this.#discardUnlessUsed(id);
  }

  /** Takes up an environment that is there; `undefined` when none is. */
  async add(id: string): Promise<LocalEnvironment | undefined> {
    return this.#exclusively(id, () => this.#find(id));
  }

  /** Takes up an environment that this worker is bringing, as far as it is there. For others it does not exist yet. */
  addUsable(id: string): Promise<LocalEnvironment | undefined> {
    return this.#exclusively(id, () => this.#takeUp(id));
  }

  /** Marks a use: it becomes the most recently used one. */
  touch(environment: LocalEnvironment): void {
    this.#environments.delete(environment.id);
    this.#environments.set(environment.id, environment);
  }

  /** Environments that may be removed, the least recently used first; those that are being written to the volume come last. */
  unused(): LocalEnvironment[] {
    return [...this.#environments.values()]
      .filter(({ uses }) => uses === 0)
      .sort((one, other) => Number(one.isBeingKept) - Number(other.isBeingKept));
  }

  /** Bytes of all of them. Counted once for each; not on the way of a request. */
  async bytes(): Promise<number> {
    let sum = 0;
    for (const environment of [...this.#environments.values()]) {
      environment.bytes ??= await directoryBytes(environment.path);
      sum += environment.bytes;
    }
    return sum;
  }

  /** Forgets an environment, and removes its files unless another worker uses them. */
  async remove({ id }: LocalEnvironment): Promise<void> {
    this.#environments.delete(id);
    await this.#users.leave(id);
    await this.#discardUnlessUsed(id);
  }

  /** A worker that can't be looked for from here has recorded its use of what it makes. */
  async #isAbandoned(id: string, tag: string): Promise<boolean> {
    return !((tag.includes('-') ? isTagRunning(tag) : undefined) ?? (await this.#users.othersUse(id)));
  }

  async #takeUp(id: string): Promise<LocalEnvironment | undefined> {
    const path = this.pathOf(id);
    const requirements = await readEnvironmentManifest(path);
    if (requirements === undefined) return undefined;
    await this.#users.enter(id);
    const completionFile = this.completionFileOf(id);
    const state = { uses: 0, isBeingKept: false, isPartial: false, bytes: undefined };
    const added: LocalEnvironment = { id, path, completionFile, requirements, ...state };
    this.#environments.set(id, added);
    return added;
  }

  async #find(id: string): Promise<LocalEnvironment | undefined> {
    const known = this.#environments.get(id);
    if (known !== undefined) return known;
    return (await this.#isComplete(id)) ? this.#takeUp(id) : undefined;
  }

  async #tryBegin(id: string): Promise<LocalEnvironment | 'begun' | 'busy'> {
    const there = await this.#find(id);
    if (there !== undefined) return there;
    if (await this.#users.othersUse(id)) return 'busy';
    await this.#users.enter(id);
    await rm(this.pathOf(id), { recursive: true, force: true });
    return 'begun';
  }

  async #discardUnlessUsed(id: string): Promise<void> {
    const aside = join(this.path, `.removing-${id}-${processTag()}-${randomUUID().slice(0, 8)}`);
    await this.#exclusively(id, async () => {
      if (await this.#users.othersUse(id)) return;
      await rm(this.completionFileOf(id), { force: true });
      await rename(this.pathOf(id), aside).catch(() => {});
    });
    // The lock is not held for this: removing many files takes long.
    await rm(aside, { recursive: true, force: true });
  }

  #exclusively<T>(
    id: string,
    work: () => Promise<T>,
    signal = AbortSignal.timeout(lockTimeoutMs),
  ): Promise<T> {
    return exclusively(this.pathOf(id), signal, work);
  }

  async #isComplete(id: string): Promise<boolean> {
    return (await this.#madeAt(id)) !== undefined;
  }

  /** When the environment was complete; `undefined`: it is not there, or not complete. */
  async #madeAt(id: string): Promise<number | undefined> {
    return stat(this.completionFileOf(id)).then(
      ({ mtimeMs }) => mtimeMs,
      () => undefined,
    );
  }

  /** Records that this worker uses no environment any more. */
  async close(): Promise<void> {
    await Promise.all([...this.#environments.keys()].map((id) => this.#users.leave(id)));
  }
}

/** Bytes that a directory's files take on the disk; what goes away meanwhile does not count. */
async function directoryBytes(path: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(path, { withFileTypes: true }).catch(() => [])) {
    const below = join(path, entry.name);
    if (entry.isDirectory()) bytes += await directoryBytes(below);
    const blocks = await lstat(below).then(
      (stat) => stat.blocks,
      () => 0,
    );
    bytes += blocks * 512;
  }
  return bytes;
}
