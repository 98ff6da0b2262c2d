import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Environment,
  type Metrics,
  noMetrics,
  type RunnerReport,
  WorkerStartError,
} from '@flash/worker-core';
import type { PythonProcessExecutorOptions } from '../executor-options.ts';
import { ImportProfiles } from '../imports/import-profiles.ts';
import { type InstanceHome, InstanceTable } from '../instances/instance-table.ts';
import { RunnerBudget } from '../pool/runner-budget.ts';
import type { PoolCensus } from '../pool/runner-pool.ts';
import { type ConnectionListener, RunnerSocket } from '../protocol/runner-socket.ts';
import type { Run } from '../run/run.ts';
import { reportsOf } from '../runner/report.ts';
import type { Runner } from '../runner/runner.ts';
import { firstRunnerId } from '../zygote/head-start.ts';
import { EnvironmentProcesses, type SharedDependencies } from './environment-processes.ts';

/** The base interpreter's name in profiles of imports. */
const baseId = 'base';
const housekeepingMs = 1000;

/** Makes the directory of sockets, pipes and modules. @throws WorkerStartError when that fails. */
function makeDirectory(): string {
  try {
    return mkdtempSync(join(tmpdir(), 'flash-'));
  } catch (error) {
    const { message } = error as Error;
    throw new WorkerStartError(
      `no directory for the sockets of Python's processes can be made in ${tmpdir()}: ${message}; free some space there, or set TMPDIR to another directory`,
    );
  }
}

/** The processes, sockets and files behind the executor, from first use to close. */
export class EnvironmentManager {
  readonly #options: PythonProcessExecutorOptions;
  readonly #shared: SharedDependencies;
  readonly #socket: RunnerSocket;
  readonly #base: EnvironmentProcesses;
  /** The processes of each environment by its id; those of the base interpreter are not among them. */
  readonly #environments = new Map<string, EnvironmentProcesses>();
  readonly #housekeeping: NodeJS.Timeout;
  #nextRunner = firstRunnerId + 1;

  static async begin(options: PythonProcessExecutorOptions): Promise<EnvironmentManager> {
    // The directory is made synchronously: the start would hear of an asynchronous end only after much other work.
    const directory = options.headStart?.directory ?? makeDirectory();
    const manager = new EnvironmentManager(options, directory);
    await manager.#socket.listen();
    return manager;
  }

  private constructor(options: PythonProcessExecutorOptions, directory: string) {
    const { settings, log, metrics = noMetrics, python, env, headStart, requiredVersion } = options;
    this.#options = options;
    this.#shared = {
      settings,
      log,
      metrics,
      directory,
      runner: {
        directory,
        cancelGraceMs: settings.FLASH_CANCEL_GRACE_MS,
        executionTimeoutMs: settings.FLASH_EXECUTION_TIMEOUT_MS,
        maxResponseBytes: settings.FLASH_MAX_RESPONSE_BYTES,
        reuses: settings.FLASH_RUNNER_REUSE === 'clean',
        maxBytesLeft: settings.FLASH_RUNNER_MAX_BYTES_LEFT,
        maxDescriptorsLeft: settings.FLASH_RUNNER_MAX_DESCRIPTORS_LEFT,
        exitTimeoutMs: settings.FLASH_RUNNER_EXIT_MS,
        maxWaiting: settings.FLASH_MAX_WAITING,
        streamWindow: settings.FLASH_STREAM_WINDOW,
        startTimeoutMs: settings.FLASH_START_TIMEOUT_MS,
        log,
      },
      instances: new InstanceTable(settings.FLASH_MAX_INSTANCES, settings.FLASH_MAX_WAITING),
      budget: new RunnerBudget(settings.FLASH_MAX_RUNNERS),
      profiles: new ImportProfiles(settings.FLASH_CACHE_DIR),
      newRunnerId: () => this.#nextRunner++,
    };
    this.#base = new EnvironmentProcesses(
      { id: baseId, python, env, headStart, requiredVersion },
      this.#shared,
    );
    // A frame holds a result, and an error text or a header beside it.
    const maxFrameBytes = settings.FLASH_MAX_RESPONSE_BYTES + 8 * 1024 * 1024;
    const listener: ConnectionListener = {
      onHello: (hello, socket) => this.#find(hello.runner)?.attach(hello, socket),
      onGarbage: (hello, error) => {
        log.write('warn', 'a runner sent what is no frame: it is killed', { runnerId: hello?.runner, error });
        if (hello !== undefined) this.#find(hello.runner)?.kill('garbage');
      },
    };
    this.#socket = new RunnerSocket(directory, maxFrameBytes, listener, headStart);
    this.#housekeeping = setInterval(() => this.#endUnused(), housekeepingMs).unref();
    this.#measure(metrics);
  }

  /** The processes of an environment; `undefined`: of the base interpreter. */
  processesOf(environment: Environment | undefined): EnvironmentProcesses {
    if (environment === undefined) return this.#base;
    const known = this.#environments.get(environment.id);
    if (known !== undefined) return known;
    const { id, python, variables, completionFile } = environment;
    const env = { ...this.#options.env, ...variables };
    const { requiredVersion } = this.#options;
    const options = { id, python, env, requiredVersion, completionFile };
    const processes = new EnvironmentProcesses(options, this.#shared);
    this.#environments.set(id, processes);
    return processes;
  }

  /** Hands a run to its environment, or to where its instance lives. */
  submit(run: Run): void {
    const { pool } = this.processesOf(run.options.environment);
    let home: InstanceHome = pool;
    const { instanceId } = run;
    const living = instanceId === undefined ? undefined : this.#shared.instances.get(instanceId);
    if (living !== undefined && living.home !== pool) {
      if (run.createInstance) living.home.dropInstance(living);
      else home = living.home;
    }
    home.submit(run);
  }

  async closeEnvironment(id: string): Promise<boolean> {
    const processes = this.#environments.get(id);
    if (processes === undefined) return true;
    if (processes.pool.isBusy) return false;
    this.#environments.delete(id);
    await processes.close();
    return true;
  }

  async runners(): Promise<readonly RunnerReport[]> {
    const base = reportsOf(this.#base.pool.runners, undefined);
    const others = [...this.#environments].map(([id, { pool }]) => reportsOf(pool.runners, id));
    return (await Promise.all([base, ...others])).flat();
  }

  async close(): Promise<void> {
    clearInterval(this.#housekeeping);
    const all = [this.#base, ...this.#environments.values()];
    await Promise.all(all.map((processes) => processes.close()));
    await this.#shared.profiles.close();
    await this.#socket.close();
    await rm(this.#shared.directory, { recursive: true, force: true });
  }

  #measure(metrics: Metrics): void {
    for (const state of ['starting', 'idle', 'busy'] as const)
      metrics.gauge('flash_runners', () => this.#count(state), [state]);
    metrics.gauge('flash_environments', () => this.#environments.size, ['open']);
    metrics.gauge('flash_waiting_runs', () => this.#count('waiting'));
    metrics.gauge('flash_instances', () => this.#shared.instances.size);
  }

  /** The sum over the pools of all environments. */
  #count(what: keyof PoolCensus): number {
    const all = [this.#base, ...this.#environments.values()];
    return all.reduce((sum, { pool }) => sum + pool.census[what], 0);
  }

  #find(runnerId: number): Runner | undefined {
    const base = this.#base.pool.find(runnerId);
    if (base !== undefined) return base;
    for (const { pool } of this.#environments.values()) {
      const runner = pool.find(runnerId);
      if (runner !== undefined) return runner;
    }
    return undefined;
  }

  #endUnused(): void {
    const { FLASH_ENVIRONMENT_IDLE_MS: idleMs } = this.#shared.settings;
    if (idleMs === 0) return;
    for (const [id, { pool }] of this.#environments)
      if (pool.unusedMs > idleMs) void this.closeEnvironment(id);
  }
}
