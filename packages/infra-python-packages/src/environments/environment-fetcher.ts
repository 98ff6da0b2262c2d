import { type Executor, InstallError, type Log, type VolumeCache } from '@flash/worker-core';
import type { PythonPackagesSettings } from '../settings.ts';
import { environmentOf } from './environment-of.ts';
import type { LocalEnvironment, LocalEnvironments } from './local-environments.ts';
import { mayStartEarly, skeleton, testsOfPackages } from './skeleton.ts';

export interface EnvironmentFetcherOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly settings: PythonPackagesSettings;
  readonly log: Log;
  readonly volumeCache: VolumeCache;
  readonly executor: Pick<Executor, 'start' | 'packagesChanged' | 'closeEnvironment'>;
}

interface Fetch {
  /** Requests may run in it; `undefined`: the volume has none of that id. */
  readonly usable: Promise<LocalEnvironment | undefined>;
  /** Nothing more will come. Never rejects. */
  readonly ended: Promise<void>;
}

/**
 * Fetches environments from the volume: each once, for all requests that want it. The tests that packages bring along come last, and only
 * user code that looks at them waits for them (docs/decisions/0009-environments.md).
 */
export class EnvironmentFetcher {
  readonly #options: EnvironmentFetcherOptions;
  readonly #local: LocalEnvironments;
  /** Fetches that have not ended, by the environment's id: for a request, or ahead of one. */
  readonly #underWay = new Map<string, Fetch>();

  constructor(options: EnvironmentFetcherOptions, local: LocalEnvironments) {
    this.#options = options;
    this.#local = local;
  }

  /** @returns an environment that requests may run in; `undefined` when the volume has none of that id. */
  bring(id: string): Promise<LocalEnvironment | undefined> {
    return this.#fetchOf(id).usable;
  }

  /** Brings an environment as {@link bring} does; resolves when the tests of its packages are there too. */
  async bringComplete(id: string): Promise<LocalEnvironment | undefined> {
    const environment = await this.bring(id);
    await this.whenComplete(id);
    return environment;
  }

  /** Resolves when no file of this environment will come any more. */
  async whenComplete(id: string): Promise<void> {
    await this.#underWay.get(id)?.ended;
  }

  /** Resolves when no file of any environment will come any more. */
  async allEnded(): Promise<void> {
    await Promise.all([...this.#underWay.values()].map(({ ended }) => ended));
  }

  #fetchOf(id: string): Fetch {
    const known = this.#underWay.get(id);
    if (known !== undefined) return known;
    const usable = Promise.withResolvers<LocalEnvironment | undefined>();
    const ended = this.#bring(id, usable.resolve).catch(usable.reject);
    const fetch = { usable: usable.promise, ended };
    this.#underWay.set(id, fetch);
    void ended.then(() => this.#underWay.delete(id));
    return fetch;
  }

  async #bring(id: string, onUsable: (environment: LocalEnvironment | undefined) => void): Promise<void> {
    const startedAt = performance.now();
    const there = await this.#begin(id);
    if (there !== undefined) return onUsable(there);
    let early: Promise<void> | undefined;
    let usable: Promise<LocalEnvironment | undefined> | undefined;
    const isThere = await this.#options.volumeCache.fetch(id, this.#local.pathOf(id), {
      first: skeleton,
      onFirst: () => {
        early = this.#startEarly(id);
      },
      last: testsOfPackages,
      onUsable: () => {
        usable = this.#takeUp(id, early);
        // A failure is reported below, where `usable` is awaited.
        usable.then(onUsable, () => {});
      },
    });
    // A cache may bring the environment in one piece and call back only at the end.
    if (isThere) usable ??= this.#takeUp(id, early);
    const environment = await usable;
    if (environment === undefined) {
      await early;
      if (early !== undefined) await this.#options.executor.closeEnvironment(id);
      await this.#local.abandon(id);
      return onUsable(undefined);
    }
    onUsable(environment);
    await this.#end(environment, isThere, Math.round(performance.now() - startedAt));
  }

  async #begin(id: string): Promise<LocalEnvironment | undefined> {
    const timeoutMs = this.#options.settings.FLASH_INSTALL_TIMEOUT_MS;
    try {
      return await this.#local.begin(id, AbortSignal.timeout(timeoutMs));
    } catch (cause) {
      const message = `another worker is at work on the environment ${id} for over ${timeoutMs} ms; raise FLASH_INSTALL_TIMEOUT_MS, or give each worker its FLASH_ENVIRONMENTS_DIR`;
      throw new InstallError('TIMED_OUT', [], message, { cause });
    }
  }

  /** Takes up the environment when all but the tests of its packages is there. */
  async #takeUp(id: string, early: Promise<void> | undefined): Promise<LocalEnvironment | undefined> {
    await early;
    const environment = await this.#local.addUsable(id);
    if (environment === undefined) return undefined;
    // This use keeps it from being removed until all of it has come.
    environment.uses++;
    if (early !== undefined) await this.#forgetListings(environment);
    return environment;
  }

  /** Ends the fetch when the tests are there, or will not come. */
  async #end(environment: LocalEnvironment, isWhole: boolean, ms: number): Promise<void> {
    const { log } = this.#options;
    try {
      environment.isPartial = !isWhole;
      if (!isWhole) {
        const message =
          'the tests of an environment’s packages have not come from the volume; it is used without';
        log.write('warn', message, { environment: environment.id });
        return;
      }
      await this.#local.complete(environment.id);
      await this.#forgetListings(environment);
      log.write('info', 'an environment came from the volume', { environment: environment.id, ms });
    } catch (error) {
      environment.isPartial = true;
      log.write('warn', 'an environment could not be completed', { environment: environment.id, error });
    } finally {
      environment.uses--;
    }
  }

  /** Has Python list its directories anew: what it saw of them earlier was not all that is in them. */
  #forgetListings(environment: LocalEnvironment): Promise<void> {
    return this.#options.executor.packagesChanged([], environmentOf(environment, this.#options.env));
  }

  /** Starts Python while most packages are still coming: its start takes long, and most packages have no part in it. Never rejects. */
  async #startEarly(id: string): Promise<void> {
    const [path, completionFile] = [this.#local.pathOf(id), this.#local.completionFileOf(id)];
    try {
      if (await mayStartEarly(path))
        await this.#options.executor.start(environmentOf({ id, path, completionFile }, this.#options.env));
    } catch (error) {
      this.#options.log.write('debug', 'Python did not start early', { environment: id, error });
    }
  }
}
