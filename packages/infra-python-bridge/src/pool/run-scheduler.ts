import type { InstalledChange, Log } from '@flash/worker-core';
import { PackageEpochs } from '../imports/package-epochs.ts';
import { InstancePlacement } from '../instances/instance-placement.ts';
import type { InstanceEntry, InstanceHome, InstanceTable } from '../instances/instance-table.ts';
import type { Run } from '../run/run.ts';
import type { RunQueue } from '../run/run-queue.ts';
import type { Runner } from '../runner/runner.ts';
import type { PythonBridgeSettings } from '../settings.ts';
import type { RunnerReuse } from './runner-reuse.ts';
import type { RunnerSet } from './runner-set.ts';
import type { RunnerSupply } from './runner-supply.ts';

export interface RunSchedulerDependencies {
  readonly settings: PythonBridgeSettings;
  readonly log: Log;
  /** The instances of all pools. */
  readonly instances: InstanceTable;
  /** The pool whose runs these are. */
  readonly home: InstanceHome;
  readonly runners: RunnerSet;
  readonly waiting: RunQueue;
  readonly supply: RunnerSupply;
  readonly reuse: RunnerReuse;
}

/** Decides which runner takes which run: the one its instance lives in, else one that is free, else the next that becomes free. */
export class RunScheduler {
  readonly #dependencies: RunSchedulerDependencies;
  readonly #placement: InstancePlacement;
  readonly #epochs = new PackageEpochs();

  constructor(dependencies: RunSchedulerDependencies) {
    this.#dependencies = dependencies;
    const { settings, log, instances: table, home, runners } = dependencies;
    this.#placement = new InstancePlacement({
      settings,
      log,
      table,
      home,
      place: (run) => this.#placeAnywhere(run),
      startIn: (runner, run) => {
        runners.idle.remove(runner);
        this.#start(runner, run);
      },
    });
  }

  /** Whether an instance lives in this pool. */
  get hasInstances(): boolean {
    return this.#placement.hasAny;
  }

  place(run: Run): void {
    const { instanceId } = run;
    run.placeOrRefuse(() =>
      instanceId === undefined ? this.#placeAnywhere(run) : this.#placement.place(run, instanceId),
    );
  }

  /** The runner has handed the run back: its instance is made elsewhere. */
  takeBack(runner: Runner, run: Run): void {
    this.#placement.unassignRunner(runner, run);
  }

  /** Gives the run to any runner. */
  placeAnywhere(run: Run): void {
    run.placeOrRefuse(() => this.#placeAnywhere(run));
  }

  /** The runner has become free: it takes what waits for the instances that live in it. */
  startPinned(runner: Runner): void {
    this.#placement.startWaiting(runner);
  }

  /** Gives the run that has waited longest to a runner that has nothing to do. */
  startNext(): void {
    const { waiting, supply } = this.#dependencies;
    if (waiting.length === 0) return;
    const runner = this.#takeIdle();
    const run = runner === undefined ? undefined : waiting.shift();
    if (runner !== undefined && run !== undefined) this.#start(runner, run);
    else supply.consider();
  }

  /** The run's instance takes overlapping calls from now on. */
  becomeConcurrent(runner: Runner, run: Run): void {
    this.#placement.becomeConcurrent(runner, run);
  }

  /** Packages changed: what was replaced is not used by new requests any more. */
  packagesChanged(changes: readonly InstalledChange[]): void {
    this.#epochs.advance(changes.flatMap((change) => change.replacedModules));
  }

  /** A runner is gone. @returns the instances that went with it. */
  removeInstancesOf(runner: Runner): InstanceEntry[] {
    return this.#placement.removeOf(runner);
  }

  /** Lets go of an instance that is about to be made in another pool. */
  dropInstance(entry: InstanceEntry): void {
    this.#placement.drop(entry);
  }

  /** Lets go of instances that no run has used for long. */
  dropIdleInstances(): void {
    this.#placement.dropIdle();
  }

  #placeAnywhere(run: Run): void {
    const { reuse, runners, waiting, supply } = this.#dependencies;
    const runner = this.#takeIdle();
    if (runner !== undefined) this.#start(runner, run);
    else {
      waiting.add(run);
      if (reuse.isNever) supply.noteScarcity();
    }
    if (runners.idle.size === 0 || waiting.length > 0) supply.consider();
  }

  #takeIdle(): Runner | undefined {
    const { reuse, runners, settings, supply } = this.#dependencies;
    if (reuse.isNever && runners.busy >= settings.FLASH_MAX_RUNNERS) return undefined;
    return runners.idle.take(() => supply.room <= 0);
  }

  #start(runner: Runner, run: Run): void {
    const { reuse, settings, supply } = this.#dependencies;
    const isPinned = this.#placement.assignRunner(runner, run);
    runner.start(run, {
      epoch: this.#epochs,
      isPinned,
      spinUs: this.#isQuiet() ? settings.FLASH_SPIN_US : 0,
    });
    this.#placement.startFollowers(runner, run);
    if (reuse.isNever) supply.replaceSpare();
  }

  /** Whether no other run is at work, so that a spinning runner takes no processor time from one. */
  #isQuiet(): boolean {
    const { reuse, runners, waiting } = this.#dependencies;
    return waiting.length === 0 && !reuse.isNever && runners.busy === 0;
  }
}
