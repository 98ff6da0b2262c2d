import type { RunQueue } from '../run/run-queue.ts';
import type { Runner } from '../runner/runner.ts';
import { PoolGrowth } from './pool-growth.ts';
import type { RunnerBudget, RunnerHolder } from './runner-budget.ts';
import type { RunnerSet } from './runner-set.ts';

/** Small runs have ended by then, and so has the process that served one. */
const spareDelayMs = 8;

export interface RunnerSupplyDependencies {
  readonly holder: RunnerHolder;
  readonly budget: RunnerBudget;
  readonly runners: RunnerSet;
  readonly waiting: RunQueue;
  /** Whether each function request gets a process of its own, of which one is there in advance. */
  readonly hasSpare: boolean;
  /** Gives the runs that wait to a runner that was kept free for the instances which live in it. */
  readonly useKept: (runner: Runner) => void;
}

/** Forks runners when there are too few for the runs, within the bound. */
export class RunnerSupply {
  readonly #dependencies: RunnerSupplyDependencies;
  readonly #growth: PoolGrowth;
  #spareTimer: NodeJS.Timeout | undefined;
  #isScarce = false;
  #closed = false;

  constructor(dependencies: RunnerSupplyDependencies) {
    this.#dependencies = dependencies;
    const { runners, waiting } = dependencies;
    this.#growth = new PoolGrowth(
      () => ({
        waiting: waiting.length,
        waitingSince: waiting.first?.waitingSince,
        idle: runners.idle.size,
        starting: runners.starting,
        room: this.room,
      }),
      (count) => this.#grow(count),
    );
  }

  /** How many runners may still be forked. The spare of `FLASH_RUNNER_REUSE=never` comes on top of the bound, as it works for no run yet. */
  get room(): number {
    const { budget, holder, hasSpare, runners } = this.#dependencies;
    return budget.roomFor(holder) + Number(hasSpare && runners.idle.size === 0);
  }

  /** Called when a run has ended. */
  noteCompletion(): void {
    this.#growth.noteCompletion();
  }

  /** Called when runners may be too few: decides in a moment whether to fork. */
  consider(): void {
    this.#growth.consider();
  }

  /**
   * Forks a spare for the run after the one that has just begun: a little later, as a fork would take processor time from it; at once when
   * runs come faster than that.
   */
  replaceSpare(): void {
    if (this.#isScarce) this.forkSpare();
    else this.#spareTimer ??= setTimeout(() => this.forkSpare(), spareDelayMs).unref();
    this.#isScarce = false;
  }

  /** A run has to wait because there was no spare. */
  noteScarcity(): void {
    this.#isScarce = true;
    this.forkSpare();
  }

  /** Forks a spare for the next run, unless there is one besides those for the runs that wait. */
  forkSpare(): void {
    clearTimeout(this.#spareTimer);
    this.#spareTimer = undefined;
    const { runners, waiting } = this.#dependencies;
    if (runners.idle.size + runners.starting <= waiting.length && this.room > 0) this.fork();
  }

  fork(): void {
    if (!this.#closed) this.#dependencies.runners.fork();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#spareTimer);
    this.#growth.close();
  }

  #grow(count: number): void {
    const { budget, holder, runners, useKept, waiting } = this.#dependencies;
    for (let forked = 0; forked < count; forked++) this.fork();
    if (this.room > 0) return;
    budget.makeRoomFor(holder, waiting.length);
    while (waiting.length > runners.starting) {
      const kept = runners.idle.takeLast();
      if (kept === undefined) return;
      useKept(kept);
      if (kept.isIdle) return;
    }
  }
}
