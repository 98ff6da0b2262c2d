import { randomBytes } from 'node:crypto';
import {
  type Call,
  type Environment,
  type Execution,
  type Executor,
  type InstalledChange,
  type RunnerReport,
  type RunOptions,
  WorkerClosedError,
} from '@flash/worker-core';
import { EnvironmentManager } from './environments/environment-manager.ts';
import type { PythonProcessExecutorOptions } from './executor-options.ts';
import { Run } from './run/run.ts';
import { abandon } from './zygote/head-start.ts';

/**
 * Executor that runs user code in Python processes forked from a warm zygote. This process never loads a pickle, never runs
 * user code and never blocks on it.
 */
export class PythonProcessExecutor implements Executor {
  readonly #options: PythonProcessExecutorOptions;
  #started: Promise<EnvironmentManager> | undefined;
  #up: EnvironmentManager | undefined;
  #closed = false;

  constructor(options: PythonProcessExecutorOptions) {
    this.#options = options;
  }

  async start(environment?: Environment): Promise<void> {
    const manager = await this.#environmentManager();
    await manager.processesOf(environment).pool.warmUp();
  }

  async warm(environment?: Environment): Promise<void> {
    const manager = await this.#environmentManager();
    await manager.processesOf(environment).warm();
  }

  async run(call: Call, options: RunOptions): Promise<Execution> {
    if (this.#closed) throw new WorkerClosedError();
    const { FLASH_MAX_OUTPUT_BYTES: maxOutputBytes } = this.#options.settings;
    const run = new Run(call, options, instanceIdOf(call), maxOutputBytes);
    // No turn of the event loop is spent once the pool is up.
    const manager = this.#up ?? (await this.#environmentManager());
    manager.submit(run);
    const outcome = await run.outcome;
    if (run.cutBytes > 0)
      this.#options.metrics?.count('flash_output_cut_bytes_total', undefined, run.cutBytes);
    return outcome;
  }

  async packagesChanged(changes: readonly InstalledChange[], environment?: Environment): Promise<void> {
    const manager = await this.#environmentManager();
    manager.processesOf(environment).packagesChanged(changes);
  }

  async closeEnvironment(id: string): Promise<boolean> {
    return (await this.#started?.catch(() => undefined))?.closeEnvironment(id) ?? true;
  }

  async runners(): Promise<readonly RunnerReport[]> {
    return (await this.#started?.catch(() => undefined))?.runners() ?? [];
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#started === undefined) {
      // A head start that no run has made use of is ended.
      if (this.#options.headStart !== undefined) abandon(this.#options.headStart);
      return;
    }
    const manager = await this.#started.catch(() => undefined);
    await manager?.close();
  }

  async #environmentManager(): Promise<EnvironmentManager> {
    if (this.#closed) throw new WorkerClosedError();
    this.#started ??= EnvironmentManager.begin(this.#options).then((manager) => {
      this.#up = manager;
      return manager;
    });
    return this.#started;
  }
}

function instanceIdOf(call: Call): string | undefined {
  if (call.kind === 'function') return undefined;
  // A handler is loaded once and stays where it is, like an instance.
  if (call.kind === 'handler') return call.file;
  return call.instanceId ?? `${call.className}_${randomBytes(4).toString('hex')}`;
}
