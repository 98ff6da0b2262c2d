import { setImmediate } from 'node:timers/promises';
import {
  type Environment,
  type EnvironmentLease,
  type Environments,
  InstallError,
  type InstallOptions,
  type Metrics,
  SharedWork,
  WorkerBusyError,
  type WorkContext,
} from '@flash/worker-core';
import { LRUCache } from 'lru-cache';
import { InstalledDistributions } from '../installed-distributions.ts';
import { baseFingerprint, normalizeRequirements, packageSetId } from '../package-set.ts';
import { parseRequirement } from '../requirement.ts';
import { Resolutions } from '../resolutions.ts';
import { Satisfaction } from '../satisfaction.ts';
import { type InterpreterFacts, TargetInterpreter } from '../target-interpreter.ts';
import { EnvironmentFetcher, type EnvironmentFetcherOptions } from './environment-fetcher.ts';
import { EnvironmentBuilder, type EnvironmentBuilderOptions } from './environment-builder.ts';
import { environmentOf } from './environment-of.ts';
import { type LocalEnvironment, LocalEnvironments } from './local-environments.ts';

/** A new environment is kept on the volume after its first run, or after this time: so that what Python compiles at the first import is kept too. */
const keepAfterMs = 10_000;
/** Most sets of requirements whose environment is remembered, so that the disk is not looked at. */
const mostKnownSets = 1000;

export type UvEnvironmentsOptions = EnvironmentBuilderOptions &
  EnvironmentFetcherOptions & {
    /** Absent: nothing is measured. */
    readonly metrics?: Metrics | undefined;
  };

interface Base {
  readonly facts: InterpreterFacts;
  readonly fingerprint: string;
}

/** Environments that uv builds above the base interpreter's packages (docs/decisions/0009-environments.md). */
export class UvEnvironments implements Environments {
  readonly #options: UvEnvironmentsOptions;
  readonly #interpreter: TargetInterpreter;
  readonly #distributions = new InstalledDistributions();
  readonly #resolutions: Resolutions;
  readonly #builder: EnvironmentBuilder;
  readonly #local: LocalEnvironments;
  readonly #fetcher: EnvironmentFetcher;
  readonly #shared = new SharedWork<LocalEnvironment | 'base'>();
  /** Environments by the requirements as requests have written them. */
  readonly #known = new LRUCache<string, LocalEnvironment | 'base'>({ max: mostKnownSets });
  /** Environments that this worker has built and not yet kept on the volume. */
  readonly #unkept = new Map<LocalEnvironment, NodeJS.Timeout>();
  #opened: Promise<Base> | undefined;

  constructor(options: UvEnvironmentsOptions) {
    this.#options = options;
    this.#interpreter = new TargetInterpreter(options.python, options.env);
    this.#resolutions = new Resolutions(options.settings.FLASH_CACHE_DIR);
    this.#builder = new EnvironmentBuilder(options, this.#resolutions);
    this.#local = new LocalEnvironments(options.settings.FLASH_ENVIRONMENTS_DIR);
    this.#fetcher = new EnvironmentFetcher(options, this.#local);
    options.metrics?.gauge('flash_environments', () => this.#local.count, ['kept']);
  }

  async acquire(requirements: readonly string[], options: InstallOptions): Promise<EnvironmentLease> {
    const key = JSON.stringify(requirements);
    const known = this.#known.get(key) ?? (await this.#find(key, requirements, options));
    return known === 'base' ? { environment: undefined, release: () => {} } : this.#lease(known);
  }

  async prewarm(): Promise<readonly Environment[]> {
    const { settings, volumeCache, log } = this.#options;
    const most = Math.min(settings.FLASH_PREWARM_ENVIRONMENTS, settings.FLASH_MAX_ENVIRONMENTS);
    try {
      // The base is looked at even when no environment is fetched: the first request needs that.
      const [{ fingerprint }, kept] = await Promise.all([this.#open(), most === 0 ? [] : volumeCache.kept()]);
      const ids = kept.filter((name) => name.startsWith(`${fingerprint}-`)).slice(0, most);
      const brought = await Promise.all(ids.map((id) => this.#bringForPrewarm(id)));
      return brought.flatMap((environment) =>
        environment === undefined ? [] : environmentOf(environment, this.#options.env),
      );
    } catch (error) {
      log.write('warn', 'no environment could be brought ahead of the first request', { error });
      return [];
    }
  }

  async close(): Promise<void> {
    for (const environment of [...this.#unkept.keys()]) this.#keep(environment);
    if (this.#opened !== undefined) await this.#local.close();
  }

  async #find(
    key: string,
    requirements: readonly string[],
    options: InstallOptions,
  ): Promise<LocalEnvironment | 'base'> {
    const normalized = normalizeRequirements(requirements);
    const set = JSON.stringify(normalized);
    if (this.#shared.isUnderWay(set))
      options.onLine?.('Another request needs the same packages: waiting for them');
    const found = await this.#shared.join(
      set,
      options,
      () =>
        new InstallError(
          'CANCELLED',
          requirements,
          `the installation of ${requirements.join(', ')} was cancelled`,
        ),
      (context) => this.#bring(normalized, context),
    );
    this.#known.set(key, found);
    return found;
  }

  async #bring(requirements: readonly string[], context: WorkContext): Promise<LocalEnvironment | 'base'> {
    const { facts, fingerprint } = await this.#open();
    if (await this.#baseHas(requirements, facts)) return 'base';
    const id = packageSetId(fingerprint, requirements);
    const here = this.#local.get(id) ?? (await this.#local.add(id));
    if (here !== undefined) {
      // Earlier workers may have left more environments than the bound allows.
      void this.#keepToBudget(here);
      return here;
    }
    await this.#makeRoom(this.#options.settings.FLASH_MAX_ENVIRONMENTS - 1);
    const fetched = await this.#fetcher.bring(id);
    if (fetched !== undefined) context.onLine('The environment of these packages came from the volume');
    const environment = fetched ?? (await this.#build(id, requirements, facts, context));
    // The bytes are counted when all files have come.
    void this.#fetcher.whenComplete(id).then(() => this.#keepToBudget(environment));
    return environment;
  }

  async #build(
    id: string,
    requirements: readonly string[],
    facts: InterpreterFacts,
    { signal, onLine }: WorkContext,
  ): Promise<LocalEnvironment> {
    const startedAt = performance.now();
    await this.#options.volumeCache.hydrate(onLine, 'packages');
    onLine(`Installing Python packages: ${requirements.join(', ')}`);
    const path = this.#local.pathOf(id);
    const aside = this.#local.asideOf(id);
    let environment = await this.#local.begin(id, signal);
    if (environment !== undefined) return environment;
    try {
      await this.#builder.build({ id, requirements, facts, path, aside, signal, onLine });
      environment = await this.#local.complete(id);
    } finally {
      if (environment === undefined) await this.#local.abandon(id);
    }
    if (environment === undefined)
      throw new InstallError(
        'FAILED',
        requirements,
        `the environment ${path} went away as soon as it was built`,
      );
    const ms = Math.round(performance.now() - startedAt);
    this.#options.log.write('info', 'an environment was built', { environment: id, requirements, ms });
    this.#unkept.set(environment, setTimeout(() => this.#keep(environment), keepAfterMs).unref());
    return environment;
  }

  #lease(environment: LocalEnvironment): EnvironmentLease {
    environment.uses++;
    this.#local.touch(environment);
    let isReleased = false;
    return {
      environment: environmentOf(environment, this.#options.env),
      release: () => {
        if (isReleased) return;
        isReleased = true;
        environment.uses--;
        if (this.#unkept.has(environment)) this.#keep(environment);
        if (environment.isPartial) void this.#keepToBudget();
      },
    };
  }

  /** Keeps an environment on the volume in the background. Meanwhile others are removed before it; if it is removed all the same, nothing of it is kept. */
  #keep(environment: LocalEnvironment): void {
    clearTimeout(this.#unkept.get(environment));
    this.#unkept.delete(environment);
    environment.isBeingKept = true;
    void this.#options.volumeCache.keep(environment.id, environment.path).finally(() => {
      environment.isBeingKept = false;
    });
  }

  /** Removes the least recently used environments until there are no more than so many. */
  async #makeRoom(most: number): Promise<void> {
    const remove = async (): Promise<void> => {
      for (const environment of this.#local.unused()) {
        if (this.#local.count <= most) return;
        await this.#remove(environment);
      }
    };
    await remove();
    if (this.#local.count > most) {
      // An environment whose tests are still coming can be removed when they have come.
      await this.#fetcher.allEnded();
      await remove();
    }
    if (this.#local.count > most)
      throw new WorkerBusyError(
        `all ${this.#local.count} environments are in use; try again later, or raise FLASH_MAX_ENVIRONMENTS`,
      );
  }

  /** Removes unused environments that are not complete, then others until their number and bytes are within bounds; never the wanted one. */
  async #keepToBudget(wanted?: LocalEnvironment): Promise<void> {
    const { settings, log } = this.#options;
    const { FLASH_ENVIRONMENTS_MAX_BYTES: mostBytes, FLASH_MAX_ENVIRONMENTS: most } = settings;
    try {
      for (const environment of this.#local.unused()) {
        if (environment.isPartial && environment !== wanted) await this.#remove(environment);
      }
      for (const environment of this.#local.unused()) {
        const isWithin =
          this.#local.count <= most && (mostBytes === 0 || (await this.#local.bytes()) <= mostBytes);
        if (isWithin) return;
        if (environment !== wanted) await this.#remove(environment);
      }
    } catch (error) {
      log.write('warn', 'the environments could not be kept to their budget', { error });
    }
  }

  async #remove(environment: LocalEnvironment): Promise<void> {
    const { executor, log } = this.#options;
    if (environment.uses > 0 || !(await executor.closeEnvironment(environment.id))) return;
    // A request that has just found this environment takes its lease in this turn of the event loop.
    await setImmediate();
    if (environment.uses > 0) return;
    for (const [key, known] of this.#known.entries()) if (known === environment) this.#known.delete(key);
    clearTimeout(this.#unkept.get(environment));
    this.#unkept.delete(environment);
    await this.#local.remove(environment);
    log.write('info', 'an environment was removed', { environment: environment.id });
  }

  async #bringForPrewarm(id: string): Promise<LocalEnvironment | undefined> {
    const here = this.#local.get(id);
    if (here !== undefined) {
      await this.#fetcher.whenComplete(id);
      return here;
    }
    if (this.#local.count >= this.#options.settings.FLASH_MAX_ENVIRONMENTS) return undefined;
    return this.#fetcher.bringComplete(id);
  }

  async #baseHas(requirements: readonly string[], facts: InterpreterFacts): Promise<boolean> {
    const installed = await this.#distributions.read(facts.directories);
    const satisfaction = new Satisfaction(installed, this.#distributions, facts.pep508Variables);
    for (const requirement of requirements)
      if (!(await satisfaction.isMet(parseRequirement(requirement)))) return false;
    return true;
  }

  /** Looks at the base interpreter once, as an image does not change. */
  #open(): Promise<Base> {
    this.#opened ??= this.#openNow().catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }

  async #openNow(): Promise<Base> {
    const { settings } = this.#options;
    const [facts] = await Promise.all([
      this.#interpreter.facts(),
      this.#local.open().catch((cause: unknown) => {
        const where = settings.FLASH_ENVIRONMENTS_DIR;
        throw new InstallError(
          'FAILED',
          [],
          `environments can't be kept in ${where} (FLASH_ENVIRONMENTS_DIR): ${cause}`,
          {
            cause,
          },
        );
      }),
    ]);
    const installed = await this.#distributions.read(facts.directories);
    return { facts, fingerprint: baseFingerprint(facts, installed) };
  }
}
