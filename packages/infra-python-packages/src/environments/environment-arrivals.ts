import { type Executor, InstallError, type Log, type VolumeCache } from '@flash/worker-core';
import type { PythonPackagesSettings } from '../settings.ts';
import { environmentOf } from './environment-of.ts';
import type { LocalEnvironment, LocalEnvironments } from './local-environments.ts';
import { mayStartEarly, skeleton, testsOfPackages } from './skeleton.ts';

export interface EnvironmentArrivalsOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly settings: PythonPackagesSettings;
  readonly log: Log;
  readonly volumeCache: VolumeCache;
  readonly executor: Pick<Executor, 'start' | 'packagesChanged' | 'closeEnvironment'>;
}

interface Arrival {
  /** Requests may run in it; `undefined`: the volume has none of that id. */
  readonly usable: Promise<LocalEnvironment | undefined>;
  /** Nothing more will come. Never rejects. */
  readonly ended: Promise<void>;
}

/**
 * Brings environments from the volume: each once, for all who want it. The tests that packages bring along come last, and nobody waits for
 * them but who looks at them (docs/decisions/0009-environments.md).
 */
export class EnvironmentArrivals {
  readonly #options: EnvironmentArrivalsOptions;
  readonly #local: LocalEnvironments;
  /** What is on its way, by its id: for a request, or ahead of one. */
  readonly #underWay = new Map<string, Arrival>();

  constructor(options: EnvironmentArrivalsOptions, local: LocalEnvironments) {
    this.#options = options;
    this.#local = local;
  }

  /** @returns an environment that requests may run in; `undefined` when the volume has none of that id. */
  bring(id: string): Promise<LocalEnvironment | undefined> {
    return this.#arrival(id).usable;
  }

  /** The same, with all that is in it. */
  async bringWhole(id: string): Promise<LocalEnvironment | undefined> {
    const environment = await this.bring(id);
    await this.whenWhole(id);
    return environment;
  }

  /** Nothing of it is on its way any more. */
  async whenWhole(id: string): Promise<void> {
    await this.#underWay.get(id)?.ended;
  }

  /** The same of all. */
  async allEnded(): Promise<void> {
    await Promise.all([...this.#underWay.values()].map(({ ended }) => ended));
  }

  #arrival(id: string): Arrival {
    const known = this.#underWay.get(id);
    if (known !== undefined) return known;
    const usable = Promise.withResolvers<LocalEnvironment | undefined>();
    const ended = this.#bring(id, usable.resolve).catch(usable.reject);
    const arrival = { usable: usable.promise, ended };
    this.#underWay.set(id, arrival);
    void ended.then(() => this.#underWay.delete(id));
    return arrival;
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
        // A failure is told below.
        usable.then(onUsable, () => {});
      },
    });
    // A cache may bring all of it in one.
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

  /** All but the tests is there. */
  async #takeUp(id: string, early: Promise<void> | undefined): Promise<LocalEnvironment | undefined> {
    await early;
    const environment = await this.#local.addUsable(id);
    if (environment === undefined) return undefined;
    // Until all has come nobody removes it.
    environment.uses++;
    if (early !== undefined) await this.#forgetListings(environment);
    return environment;
  }

  /** The tests are there, or will not come. */
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

  /** What Python saw of its directories earlier was not all that is in them. */
  #forgetListings(environment: LocalEnvironment): Promise<void> {
    return this.#options.executor.packagesChanged([], environmentOf(environment, this.#options.env));
  }

  /** Python takes its time to start, and most of its packages have no part in it. Never rejects. */
  async #startEarly(id: string): Promise<void> {
    const [path, wholeMark] = [this.#local.pathOf(id), this.#local.completePath(id)];
    try {
      if (await mayStartEarly(path))
        await this.#options.executor.start(environmentOf({ id, path, wholeMark }, this.#options.env));
    } catch (error) {
      this.#options.log.write('debug', 'Python did not start early', { environment: id, error });
    }
  }
}
