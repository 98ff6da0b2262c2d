import type { ChildProcess } from 'node:child_process';
import { setImmediate as turn } from 'node:timers/promises';
import type { InstalledChange, Log, Metrics, WorkerError } from '@flash/worker-core';
import type { ImportProfiles } from '../imports/import-profiles.ts';
import type { InstanceTable } from '../instances/instance-table.ts';
import type { RunnerBudget } from '../pool/runner-budget.ts';
import { RunnerPool } from '../pool/runner-pool.ts';
import type { ForkedRunner } from '../pool/runner-pool-options.ts';
import type { RunnerOptions } from '../runner/runner-options.ts';
import type { PythonBridgeSettings } from '../settings.ts';
import { firstRunnerId, type HeadStart } from '../zygote/head-start.ts';
import { ContaminatedZygoteError, Zygote } from '../zygote/zygote.ts';

const closeTimeoutMs = 5000;
/** Most zygotes that are started to import ahead, each without the module that the one before it failed with. */
const mostWarmUps = 5;

/** What the processes of all environments share. */
export interface SharedDependencies {
  readonly settings: PythonBridgeSettings;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Directory for sockets, pipes and modules. */
  readonly directory: string;
  readonly runner: RunnerOptions;
  readonly instances: InstanceTable;
  readonly budget: RunnerBudget;
  readonly profiles: ImportProfiles;
  readonly newRunnerId: () => number;
}

export interface EnvironmentProcessesOptions {
  /** Names the environment in its profile of imports. */
  readonly id: string;
  /** Path of the interpreter. */
  readonly python: string;
  readonly env: NodeJS.ProcessEnv;
  readonly headStart?: HeadStart | undefined;
  readonly requiredVersion: string | undefined;
  /** A file that exists once all of the environment is there (`Environment.completionFile`). */
  readonly completionFile?: string | undefined;
}

/** The processes of one environment: the zygote that new runners come from, and the pool of runners. */
export class EnvironmentProcesses {
  readonly id: string;
  readonly pool: RunnerPool;
  readonly #options: EnvironmentProcessesOptions;
  readonly #shared: SharedDependencies;
  /** The current zygote, and earlier ones that still have runners. */
  readonly #zygotes = new Set<Zygote>();
  #zygote: Zygote | undefined;
  /** The head start, until the first zygote takes it over. */
  #headStart: HeadStart | undefined;
  /** The runner that was forked ahead, until the pool takes it. */
  #firstRunner: ForkedRunner | undefined;
  #warming: Promise<void> | undefined;
  #isClosed = false;
  /** Whether a zygote was lost, perhaps because runners could not import what they need: the next one imports all of it before it forks. */
  #hasLostZygote = false;

  constructor(options: EnvironmentProcessesOptions, shared: SharedDependencies) {
    this.id = options.id;
    this.#options = options;
    this.#headStart = options.headStart;
    this.#shared = shared;
    const { settings, log, metrics, runner, instances, budget, newRunnerId } = shared;
    this.pool = new RunnerPool({
      settings,
      log,
      metrics,
      runner,
      instances,
      budget,
      newRunnerId,
      zygote: () => this.#currentZygote(),
      takeForked: () => this.#takeFirstRunner(),
      onImports: (modules) => shared.profiles.noteImports(this.id, modules),
      onRunnerGone: (zygote) => this.#closeIfUnused(zygote),
    });
  }

  /**
   * Imports what earlier requests have imported in a zygote of its own, in the background, and has runners come from there once it is
   * ready. A module that can't be imported ahead costs no request anything. Never rejects.
   */
  warm(): Promise<void> {
    this.#warming ??= this.#warm().catch((error: unknown) =>
      this.#shared.log.write('warn', 'modules could not be imported ahead', { environment: this.id, error }),
    );
    return this.#warming;
  }

  packagesChanged(changes: readonly InstalledChange[]): void {
    this.pool.packagesChanged(changes);
    const replaced = changes.flatMap((change) => change.replacedModules);
    if (!replaced.some((name) => this.#zygote?.modules.includes(name))) return;
    // What every runner starts with was replaced: new ones come from a new zygote.
    const old = this.#zygote;
    this.#zygote = undefined;
    this.pool.retireAll();
    if (old !== undefined) this.#closeIfUnused(old);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.pool.close();
    this.#headStart?.zygote.kill('SIGKILL');
    await Promise.all([...this.#zygotes].map((zygote) => zygote.close(closeTimeoutMs)));
    await this.pool.endRunners();
  }

  async #warm(): Promise<void> {
    const { FLASH_PREIMPORT: choice } = this.#shared.settings;
    if (choice === 'off') return;
    // The zygote that serves comes first: no request waits for it any more when another takes its place. Its failure is told by `warmUp` of the pool to the caller that waits.
    const serves = await this.pool.warmUp().then(
      () => true,
      () => false,
    );
    if (!serves) return;
    // The callers that wait for the worker to be ready are told first.
    await turn();
    let modules = choice === 'auto' ? await this.#shared.profiles.worthImporting(this.id) : choice;
    for (let attempt = 0; attempt < mostWarmUps && modules.length > 0 && !this.#isClosed; attempt++) {
      const unfit = await this.#warmWith(modules);
      if (unfit === undefined) return;
      modules = modules.filter((name) => name !== unfit);
    }
  }

  /** @returns the module to leave out in another attempt; `undefined` when no further attempt is needed. */
  async #warmWith(modules: readonly string[]): Promise<string | undefined> {
    const { log, profiles } = this.#shared;
    const warm = this.#startZygote(modules);
    try {
      await warm.ready;
    } catch (error) {
      this.#zygotes.delete(warm);
      if (!(error instanceof ContaminatedZygoteError)) throw error;
      log.write('info', 'a module is not imported ahead', { environment: this.id, reason: error.message });
      profiles.noteUnfit(this.id, error.module, error.message);
      return error.module;
    }
    const old = this.#zygote;
    if (this.#isClosed || Object.keys(warm.preimported.imported).length === 0) {
      this.#zygotes.delete(warm);
      await warm.close(closeTimeoutMs);
      return undefined;
    }
    this.#zygote = warm;
    await this.pool.renew();
    if (old !== undefined) this.#closeIfUnused(old);
    log.write('info', 'modules were imported ahead', { environment: this.id, ...warm.preimported });
    return undefined;
  }

  /** The zygote that new runners come from. It need not be ready yet. */
  #currentZygote(): Zygote {
    if (this.#zygote !== undefined) return this.#zygote;
    const zygote = this.#startZygote([]);
    this.#zygote = zygote;
    zygote.ready.catch((error: WorkerError) => this.#onZygoteFailed(zygote, error));
    return zygote;
  }

  #startZygote(modules: readonly string[]): Zygote {
    const { python, env, requiredVersion, completionFile } = this.#options;
    const { settings, log, directory } = this.#shared;
    const timeoutMs = settings.FLASH_PREIMPORT_MS;
    const zygote: Zygote = new Zygote(
      {
        python,
        env,
        log,
        requiredVersion,
        completionFile,
        directory,
        isLean: modules.length === 0 && completionFile === undefined && !this.#hasLostZygote,
        process: this.#takeHeadStart(),
        startTimeoutMs: settings.FLASH_START_TIMEOUT_MS + (modules.length > 0 ? timeoutMs : 0),
        preimport: { modules, timeoutMs, maxBytes: settings.FLASH_PREIMPORT_MAX_BYTES },
        recordImports: settings.FLASH_PREIMPORT === 'auto',
      },
      {
        onForked: (runner, pid) => this.pool.onForked(runner, pid),
        onExited: (runner, exit) => void this.pool.onExited(runner, exit),
        onLost: (reason) => this.#onZygoteLost(zygote, reason),
      },
    );
    this.#zygotes.add(zygote);
    return zygote;
  }

  /** The zygote of the head start; `undefined` when it could not be used. */
  #takeHeadStart(): ChildProcess | undefined {
    const headStart = this.#headStart;
    this.#headStart = undefined;
    if (headStart === undefined) return undefined;
    const { zygote, endMark } = headStart;
    if (zygote.pid === undefined || zygote.exitCode !== null || zygote.signalCode !== null) return undefined;
    this.#firstRunner = { id: firstRunnerId, endMark };
    return zygote;
  }

  #takeFirstRunner(): ForkedRunner | undefined {
    const first = this.#firstRunner;
    this.#firstRunner = undefined;
    return first;
  }

  /** An earlier zygote goes when the last runner that came from it has gone. */
  #closeIfUnused(zygote: Zygote): void {
    if (zygote === this.#zygote || !this.#zygotes.has(zygote) || this.pool.hasRunnerOf(zygote)) return;
    this.#zygotes.delete(zygote);
    void zygote.close(closeTimeoutMs);
  }

  /** A zygote that never served logs nothing: the runs that waited for it are answered with the error. */
  #onZygoteFailed(zygote: Zygote, error: WorkerError): void {
    this.#zygotes.delete(zygote);
    this.#hasLostZygote = true;
    if (this.#zygote === zygote) this.#zygote = undefined;
    this.pool.onZygoteFailed(zygote, error);
  }

  #onZygoteLost(zygote: Zygote, reason: string): void {
    if (!this.#zygotes.delete(zygote)) return;
    this.#hasLostZygote = true;
    if (this.#zygote === zygote || this.pool.hasRunnerOf(zygote)) this.#shared.log.write('error', reason);
    if (this.#zygote === zygote) this.#zygote = undefined;
    this.pool.onZygoteLost(zygote, reason);
  }
}
