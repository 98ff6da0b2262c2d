import type { Log, Metrics } from '@flash/worker-core';
import type { InstanceTable } from '../instances/instance-table.ts';
import type { RunnerOptions } from '../runner/runner-options.ts';
import type { PythonBridgeSettings } from '../settings.ts';
import type { Zygote } from '../zygote/zygote.ts';
import type { RunnerBudget } from './runner-budget.ts';

/** A runner that its zygote was asked for already. */
export interface ForkedRunner {
  readonly id: number;
  readonly endMark: Buffer;
}

export interface RunnerPoolOptions {
  readonly settings: PythonBridgeSettings;
  readonly runner: RunnerOptions;
  readonly log: Log;
  readonly metrics: Metrics;
  /** The zygote that new runners come from, ready or not. */
  readonly zygote: () => Zygote;
  /** A runner that this zygote was asked for ahead and that no pool has taken yet. */
  readonly takeForked: () => ForkedRunner | undefined;
  /** The instances of all pools. */
  readonly instances: InstanceTable;
  /** The bound of runners that all pools share. */
  readonly budget: RunnerBudget;
  /** A number that no runner of any pool has had. */
  readonly newRunnerId: () => number;
  /** User code has imported modules; milliseconds by their names. */
  readonly onImports: (modules: Readonly<Record<string, number>>) => void;
  /** A runner of this zygote has ended. */
  readonly onRunnerGone: (zygote: Zygote) => void;
}
