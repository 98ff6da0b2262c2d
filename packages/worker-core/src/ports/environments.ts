import type { InstallOptions } from './installer.ts';

/** Where a request's code runs: the base image's packages, and above them packages of its own. */
export interface Environment {
  /** Follows from what is in it: the same on every worker of the same image, and of no other environment. */
  readonly id: string;
  /** Path of its interpreter. */
  readonly python: string;
  /** Environment variables that programs find besides the worker's: the environment's `bin` directory comes first in `PATH`. */
  readonly variables: Readonly<Record<string, string>>;
  /** A file that exists once the whole environment has arrived. Until then the tests that its packages bring along may still be coming. */
  readonly completionFile?: string;
}

/** The use of an environment by one request. The environment is not removed until the lease is released. */
export interface EnvironmentLease {
  /** `undefined`: the base image has all of it already. */
  readonly environment: Environment | undefined;
  release(): void;
}

/**
 * Environments of Python packages, one for each distinct set of requirements. Requests with different or conflicting versions run side by
 * side, and a set that was seen once is never resolved again.
 */
export interface Environments {
  /**
   * The environment for these requirements: one that is here, one that the volume keeps, or a new one. Calls for the same set share the
   * work. For one that is here it costs no process, no disk and no network.
   *
   * @throws InstallError naming the requirement and the reason; WorkerBusyError when there is no room for one more environment.
   */
  acquire(requirements: readonly string[], options: InstallOptions): Promise<EnvironmentLease>;
  /** Brings those that were used last on other workers, ahead of the first request. Never rejects. */
  prewarm(): Promise<readonly Environment[]>;
  /** Lets what is being kept come to its end. */
  close(): Promise<void>;
}
