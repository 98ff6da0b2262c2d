import type { Environments } from '../ports/environments.ts';
import type { Executor } from '../ports/executor.ts';
import type { VolumeCache } from '../ports/volume-cache.ts';

const nobody = (): void => {};

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
    const profiles = this.#volumeCache.hydrate(nobody, 'profiles');
    await Promise.allSettled([
      this.#prewarmEnvironments(profiles),
      profiles.then(() => this.#executor.warm()),
      this.#volumeCache.hydrate(nobody),
    ]);
  }

  async #prewarmEnvironments(profiles: Promise<void>): Promise<void> {
    const environments = (await this.#environments?.prewarm()) ?? [];
    for (const environment of environments) {
      await this.#executor.start(environment);
      await profiles;
      await this.#executor.warm(environment);
    }
  }
}
