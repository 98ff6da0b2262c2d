import type { Log } from '@flash/worker-core';
import type { PackageEpoch } from '../imports/package-epochs.ts';
import type { Retirement } from '../protocol/retirement-frame.ts';
import type { Run } from '../run/run.ts';
import type { Runner } from './runner.ts';

/** Hears what a runner reports. */
export interface RunnerListener {
  /** A run has ended and the runner could take another. */
  onFree(runner: Runner): void;
  /** The runner can't run it after all: the run goes elsewhere. */
  onStale(runner: Runner, run: Run): void;
  /** The runner's instance takes overlapping calls now. */
  onConcurrent(runner: Runner, run: Run): void;
  onReady(runner: Runner): void;
  /** The process takes no function requests any more. */
  onRetire(runner: Runner, retirement: Retirement): void;
  /** User code has imported modules; milliseconds by their names. */
  onImports(modules: Readonly<Record<string, number>>): void;
}

export interface RunnerOptions {
  readonly directory: string;
  readonly cancelGraceMs: number;
  readonly executionTimeoutMs: number;
  readonly exitTimeoutMs: number;
  readonly maxResponseBytes: number;
  readonly maxWaiting: number;
  /** Whether the process may serve more than one function request. */
  readonly reuses: boolean;
  /** What requests may leave behind in the process. */
  readonly maxBytesLeft: number;
  readonly maxDescriptorsLeft: number;
  /** Chunks of a stream that may be under way. */
  readonly streamWindow: number;
  readonly startTimeoutMs: number;
  readonly log: Log;
}

/** What the pool decides about a run it hands to a runner. */
export interface StartOptions {
  readonly epoch: PackageEpoch;
  /** Whether the run can only run in this runner, because its instance lives there. */
  readonly isPinned: boolean;
  /** How long the runner looks for the next request before it goes to sleep, in microseconds. */
  readonly spinUs: number;
}
