import type { Log, Metrics } from '@flash/worker-core';
import { describeExit, endKind, type Killer, MemoryKills } from '../runner/exit.ts';
import type { Runner } from '../runner/runner.ts';
import type { RunnerExit } from '../zygote/zygote.ts';

/** Ends the runs of processes that are gone, and tells why. */
export class RunnerEnds {
  readonly #memoryKills = new MemoryKills();
  readonly #log: Log;
  readonly #metrics: Metrics;

  constructor(log: Log, metrics: Metrics) {
    this.#log = log;
    this.#metrics = metrics;
  }

  /**
   * Resolves when the runs of the runner have their outcome.
   *
   * @param lost - ids of the instances that lived in it.
   * @returns what the runs were told.
   */
  async end(runner: Runner, exit: RunnerExit, lost: readonly string[]): Promise<string> {
    const explanation = describeExit(exit, lost, this.#killerOf(runner, exit), runner.wasReady);
    await runner.end(() => explanation);
    const kind = endKind(runner, lost);
    this.#metrics.count('flash_runner_ends_total', [kind]);
    this.#log.write(kind === 'unneeded' ? 'debug' : 'warn', 'a runner ended', {
      runnerId: runner.id,
      pid: runner.pid,
      ...exit,
      lostInstances: lost,
    });
    return explanation;
  }

  #killerOf(runner: Runner, exit: RunnerExit): Killer {
    if (runner.killer !== undefined) return runner.killer;
    return exit.signal === 'SIGKILL' && this.#memoryKills.happened() ? 'memory' : 'unknown';
  }
}
