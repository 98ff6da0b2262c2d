import type { Log, Metrics } from '@flash/worker-core';
import type { Retirement } from '../protocol/retirement-frame.ts';
import type { Runner } from '../runner/runner.ts';
import type { PythonBridgeSettings } from '../settings.ts';

export interface RunnerReuseDependencies {
  readonly settings: PythonBridgeSettings;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Decides whether a runner may serve another function request, and logs and counts those that may not (`FLASH_RUNNER_REUSE`). */
export class RunnerReuse {
  readonly #dependencies: RunnerReuseDependencies;

  constructor(dependencies: RunnerReuseDependencies) {
    this.#dependencies = dependencies;
  }

  /** Whether every function request gets a process that has served none. */
  get isNever(): boolean {
    return this.#dependencies.settings.FLASH_RUNNER_REUSE === 'never';
  }

  /** Whether the runner has served as many requests as it may; then this is logged and counted. */
  isUsedUp(runner: Runner): boolean {
    const { FLASH_RUNNER_MAX_REQUESTS: most } = this.#dependencies.settings;
    if (runner.isRetiring || most === 0 || runner.functionRequests < most) return false;
    this.note(runner, { kind: 'requests', reason: `it has served ${most} (FLASH_RUNNER_MAX_REQUESTS)` });
    return true;
  }

  /** Logs and counts a runner that serves no function request any more. */
  note(runner: Runner, { kind, reason }: Retirement): void {
    const { log, metrics } = this.#dependencies;
    metrics.count('flash_runner_retired_total', [kind]);
    log.write('info', 'a runner is replaced', { runnerId: runner.id, pid: runner.pid, kind, reason });
  }
}
