import { type Executor, InstallError, type Log, type VolumeCache } from '@flash/worker-core';
import type { PythonPackagesSettings } from '../settings.ts';
import { environmentOf } from './environment-of.ts';
import type { LocalEnvironment, LocalEnvironments } from './local-environments.ts';
import { mayStartEarly, skeleton } from './skeleton.ts';

export interface EnvironmentArrivalsOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly settings: PythonPackagesSettings;
  readonly log: Log;
  readonly volumeCache: VolumeCache;
  readonly executor: Pick<Executor, 'start' | 'packagesChanged' | 'closeEnvironment'>;
}

/** Brings environments from the volume: each once, for all who want it. */
export class EnvironmentArrivals {
  readonly #options: EnvironmentArrivalsOptions;
  readonly #local: LocalEnvironments;
  /** What is on its way, by its id: for a request, or ahead of one. */
  readonly #underWay = new Map<string, Promise<LocalEnvironment | undefined>>();

  constructor(options: EnvironmentArrivalsOptions, local: LocalEnvironments) {
    this.#options = options;
    this.#local = local;
  }

  /** @returns `undefined` when the volume has none of that id. */
  bring(id: string): Promise<LocalEnvironment | undefined> {
    const known = this.#underWay.get(id);
    if (known !== undefined) return known;
    const arrival = this.#bring(id).finally(() => this.#underWay.delete(id));
    this.#underWay.set(id, arrival);
    return arrival;
  }

  async #bring(id: string): Promise<LocalEnvironment | undefined> {
    const { volumeCache, settings, log } = this.#options;
    const startedAt = performance.now();
    const timeoutMs = settings.FLASH_INSTALL_TIMEOUT_MS;
    try {
      const there = await this.#local.begin(id, AbortSignal.timeout(timeoutMs));
      if (there !== undefined) return there;
    } catch (cause) {
      const message = `another worker is at work on the environment ${id} for over ${timeoutMs} ms; raise FLASH_INSTALL_TIMEOUT_MS, or give each worker its FLASH_ENVIRONMENTS_DIR`;
      throw new InstallError('TIMED_OUT', [], message, { cause });
    }
    let early: Promise<void> | undefined;
    const onFirst = (): void => {
      early = this.#startEarly(id);
    };
    const isThere = await volumeCache.fetch(id, this.#local.pathOf(id), { first: skeleton, onFirst });
    await early;
    const environment = isThere ? await this.#local.complete(id) : undefined;
    if (environment === undefined) {
      if (early !== undefined) await this.#options.executor.closeEnvironment(id);
      await this.#local.abandon(id);
      return undefined;
    }
    // What Python saw of its directories when it started early was not all of them.
    if (early !== undefined)
      await this.#options.executor.packagesChanged([], environmentOf(environment, this.#options.env));
    const ms = Math.round(performance.now() - startedAt);
    log.write('info', 'an environment came from the volume', { environment: id, ms });
    return environment;
  }

  /** Python takes its time to start, and most of its packages have no part in it. Never rejects. */
  async #startEarly(id: string): Promise<void> {
    const path = this.#local.pathOf(id);
    try {
      if (await mayStartEarly(path))
        await this.#options.executor.start(environmentOf({ id, path }, this.#options.env));
    } catch (error) {
      this.#options.log.write('debug', 'Python did not start early', { environment: id, error });
    }
  }
}
