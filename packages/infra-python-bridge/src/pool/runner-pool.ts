import { type InstalledChange, WorkerClosedError, type WorkerError } from '@flash/worker-core';
import type { InstanceEntry, InstanceHome } from '../instances/instance-table.ts';
import { cancelled, shuttingDown } from '../run/interruption.ts';
import type { Run } from '../run/run.ts';
import { RunQueue } from '../run/run-queue.ts';
import type { Runner } from '../runner/runner.ts';
import type { RunnerListener } from '../runner/runner-options.ts';
import { killGroup } from '../python-process.ts';
import type { RunnerExit, Zygote } from '../zygote/zygote.ts';
import { Readiness } from './readiness.ts';
import { RunScheduler } from './run-scheduler.ts';
import type { RunnerHolder } from './runner-budget.ts';
import { RunnerEnds } from './runner-ends.ts';
import type { RunnerPoolOptions } from './runner-pool-options.ts';
import { RunnerReuse } from './runner-reuse.ts';
import { type RunnerCensus, RunnerSet } from './runner-set.ts';
import { RunnerSupply } from './runner-supply.ts';

const housekeepingMs = 1000;
/** Runners by what they do, and the runs that wait for one. */
export interface PoolCensus extends RunnerCensus {
  readonly waiting: number;
}

/** The runners of one environment, from the first that is asked for to the last that ends, and the runs that wait for one. */
export class RunnerPool implements RunnerHolder, InstanceHome {
  readonly #options: RunnerPoolOptions;
  readonly #runners: RunnerSet;
  readonly #waiting: RunQueue;
  readonly #supply: RunnerSupply;
  readonly #scheduler: RunScheduler;
  readonly #reuse: RunnerReuse;
  readonly #readiness = new Readiness();
  readonly #ends: RunnerEnds;
  readonly #housekeeping: NodeJS.Timeout;
  #usedAt = Date.now();
  #closed = false;

  constructor(options: RunnerPoolOptions) {
    this.#options = options;
    const { settings, log, metrics, instances } = options;
    this.#waiting = new RunQueue(settings.FLASH_MAX_WAITING);
    this.#reuse = new RunnerReuse({ settings, log, metrics });
    this.#ends = new RunnerEnds(log, metrics);
    options.budget.add(this);
    const listener: RunnerListener = {
      onReady: (runner) => this.#onReady(runner),
      onFree: (runner) => this.#onFree(runner),
      onStale: (runner, run) => this.#onStale(runner, run),
      onConcurrent: (runner, run) => this.#scheduler.becomeConcurrent(runner, run),
      onRetire: (runner, retirement) => {
        this.#reuse.note(runner, retirement);
        this.#replace(runner);
      },
      onImports: options.onImports,
    };
    this.#runners = new RunnerSet(options, listener);
    this.#supply = new RunnerSupply({
      holder: this,
      budget: options.budget,
      runners: this.#runners,
      waiting: this.#waiting,
      hasSpare: this.#reuse.isNever,
      useKept: (runner) => this.#onFree(runner),
    });
    this.#scheduler = new RunScheduler({
      settings,
      log,
      instances,
      home: this,
      runners: this.#runners,
      waiting: this.#waiting,
      supply: this.#supply,
      reuse: this.#reuse,
    });
    this.#housekeeping = setInterval(() => this.#tidy(), housekeepingMs).unref();
  }

  /** Takes a run; its outcome is the run's own promise. */
  submit(run: Run): void {
    if (this.#closed) return run.refuse(new WorkerClosedError());
    this.#usedAt = Date.now();
    const { signal } = run.options;
    if (signal?.aborted) return run.abandon(cancelled);
    this.#scheduler.place(run);
  }

  /** How many runners count towards the bound, those that are not ready yet included. */
  get held(): number {
    return this.#runners.held;
  }

  get runners(): readonly Runner[] {
    return this.#runners.all;
  }

  get census(): PoolCensus {
    return { ...this.#runners.census, waiting: this.#waiting.length };
  }

  /** Whether something runs or waits here. */
  get isBusy(): boolean {
    if (this.#waiting.length > 0) return true;
    return this.#runners.areBusy;
  }

  /** For how many milliseconds nothing has run here; 0 while something runs or an instance lives here. */
  get unusedMs(): number {
    return this.isBusy || this.#scheduler.hasInstances ? 0 : Date.now() - this.#usedAt;
  }

  /** Whether a runner that lives came from this zygote. */
  hasRunnerOf(zygote: Zygote): boolean {
    return this.#runners.of(zygote).length > 0;
  }

  giveUp(count: number): number {
    const spare = this.#runners.idle.spare().slice(0, count);
    for (const runner of spare) this.#runners.retire(runner, 'kill');
    return spare.length;
  }

  roomCame(): void {
    if (this.#waiting.length > 0) this.#supply.consider();
  }

  /** Has new runners take the place of those that are there. Resolves when the first of them is ready, or the pool is closed. */
  renew(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    const renewed = this.#readiness.forRenewal();
    this.#supply.fork();
    return renewed;
  }

  dropInstance(entry: InstanceEntry): void {
    this.#scheduler.dropInstance(entry);
  }

  /** Brings up one runner ahead of the first run. Resolves when it is there, rejects with WorkerStartError when none can be had. */
  async warmUp(): Promise<void> {
    if (this.#closed || this.#runners.all.some((runner) => runner.isReady)) return;
    const ready = this.#readiness.forFirst();
    if (this.held === 0) this.#supply.fork();
    await ready;
  }

  find(runnerId: number): Runner | undefined {
    return this.#runners.find(runnerId);
  }

  onForked(runnerId: number, pid: number): void {
    const runner = this.#runners.find(runnerId);
    if (runner !== undefined) runner.pid = pid;
  }

  async onExited(runnerId: number, exit: RunnerExit): Promise<void> {
    const runner = this.#runners.find(runnerId);
    if (runner === undefined || runner.hasEnded) return;
    const wasReady = runner.isReady;
    const lost = this.#remove(runner)
      .filter((entry) => !entry.isHandler)
      .map((entry) => entry.id);
    const reason = await this.#ends.end(runner, exit, lost);
    // A runner that was retired is replaced only when runs wait.
    if (!runner.isRetiring || this.#waiting.length > 0) this.#forkInPlace(wasReady, reason);
    this.#options.onRunnerGone(runner.zygote);
  }

  /** The zygote is gone, and with it every runner it had forked. */
  onZygoteLost(zygote: Zygote, reason: string): void {
    for (const runner of this.#runners.of(zygote)) {
      if (runner.pid !== undefined) killGroup(runner.pid);
      void this.onExited(runner.id, { code: null, signal: null, reason });
    }
  }

  /** The zygote could not be started, and will fork nothing. */
  onZygoteFailed(zygote: Zygote, error: WorkerError): void {
    for (const runner of this.#runners.of(zygote)) {
      this.#remove(runner);
      void runner.end(() => error.message);
    }
    this.#refuseWaiting(error);
  }

  /** Packages changed: what was replaced is not used by new requests any more. */
  packagesChanged(changes: readonly InstalledChange[]): void {
    this.#scheduler.packagesChanged(changes);
  }

  /** Has every runner take no new request and end when it is idle; called when a package was replaced that the zygote itself has imported. */
  retireAll(): void {
    for (const runner of this.#runners.all) this.#runners.retire(runner, 'kill');
  }

  close(): void {
    this.#closed = true;
    this.#options.budget.remove(this);
    this.#readiness.close();
    clearInterval(this.#housekeeping);
    this.#supply.close();
    for (const run of this.#waiting.takeAll()) run.abandon(shuttingDown);
    for (const runner of this.#runners.all)
      for (const run of runner.pinned.takeAll()) run.abandon(shuttingDown);
  }

  /** Ends every run at work; called after the processes are gone. */
  async endRunners(): Promise<void> {
    await Promise.all(this.#runners.all.map((runner) => runner.end(() => 'the worker was shut down')));
    for (const runner of this.#runners.all) this.#scheduler.removeInstancesOf(runner);
    this.#runners.clear();
  }

  #onReady(runner: Runner): void {
    this.#runners.becameReady();
    this.#readiness.onReady(() => {
      for (const other of this.#runners.all) if (other !== runner) this.#runners.retire(other, 'kill');
    });
    this.#onFree(runner);
  }

  #onFree(runner: Runner): void {
    this.#supply.noteCompletion();
    this.#usedAt = Date.now();
    if (runner.hasEnded) return;
    this.#scheduler.startPinned(runner);
    if (!runner.isIdle) return;
    if (this.#reuse.isNever && runner.functionRequests > 0 && runner.instances.size === 0) {
      // With FLASH_RUNNER_REUSE=never the runner ends by itself after its answer.
      this.#runners.exit(runner, true);
      return this.#scheduler.startNext();
    }
    if (runner.isRetiring) return this.#runners.retire(runner, 'kill');
    if (this.#reuse.isUsedUp(runner)) return this.#replace(runner);
    this.#runners.idle.add(runner);
    this.#scheduler.startNext();
  }

  #onStale(runner: Runner, run: Run): void {
    this.#scheduler.takeBack(runner, run);
    this.#replace(runner);
    this.#scheduler.placeAnywhere(run);
  }

  /** A runner takes no new requests any more; another one is there when the next request comes. */
  #replace(runner: Runner): void {
    this.#runners.retire(runner, 'exit');
    this.#supply.forkSpare();
  }

  /** The runner that a run was waiting for is gone: it is placed anew. */
  #resubmit(run: Run): void {
    if (!run.isSettled) this.submit(run);
  }

  #remove(runner: Runner): InstanceEntry[] {
    this.#runners.remove(runner);
    const lost = this.#scheduler.removeInstancesOf(runner);
    for (const run of runner.pinned.takeAll()) this.#resubmit(run);
    this.#options.budget.gone(this);
    return lost;
  }

  /** A runner is gone: another one takes its place when it is needed. */
  #forkInPlace(wasReady: boolean, reason: string): void {
    if (this.#closed) return;
    const error = wasReady ? undefined : this.#readiness.onFailedStart(reason);
    if (error !== undefined) return this.#refuseWaiting(error);
    if (this.held === 0 || this.#waiting.length > 0) this.#supply.fork();
  }

  #refuseWaiting(error: WorkerError): void {
    this.#readiness.reject(error);
    for (const run of this.#waiting.takeAll()) run.refuse(error);
  }

  #tidy(): void {
    this.#scheduler.dropIdleInstances();
    this.#runners.endUnneeded();
  }
}
