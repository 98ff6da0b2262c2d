import type { Environment, Environments } from '../ports/environments.ts';
import type { Executor } from '../ports/executor.ts';
import type { VolumeCache } from '../ports/volume-cache.ts';

const ignoreLine = (): void => {};

/** Makes a worker that has started as warm as others have become, in the background: nothing waits for it. */
export class WarmUp {
  readonly #executor: Executor;
  readonly #volumeCache: VolumeCache;
  readonly #environments: Environments | undefined;

  constructor(executor: Executor, volumeCache: VolumeCache, environments: Environments | undefined) {
    this.#executor = executor;
    this.#volumeCache = volumeCache;
    this.#environments = environments;
  }

  /** Brings the cache and the environments used last, and imports what user code has imported. Never rejects. */
  async run(): Promise<void> {
    // One after the other: a request can begin without the rest, and not without its environment.
    const environments = await this.#bringEnvironments();
    const profiles = this.#volumeCache.hydrate(ignoreLine, 'profiles');
    await Promise.allSettled([
      profiles.then(() => this.#executor.warm()),
      ...environments.map((environment) => profiles.then(() => this.#warm(environment))),
      this.#volumeCache.hydrate(ignoreLine),
    ]);
  }

  /** Environments that can't be brought are built for the request that asks for them. */
  async #bringEnvironments(): Promise<readonly Environment[]> {
    try {
      return (await this.#environments?.prewarm()) ?? [];
    } catch {
      return [];
    }
  }

  async #warm(environment: Environment): Promise<void> {
    await this.#executor.start(environment);
    await this.#executor.warm(environment);
  }
}
