import {
  AppError,
  type AppSource,
  type Executor,
  type InstallDependencies,
  InstallMissingModule,
  type Job,
  type JobListeners,
  type JobOutcome,
  type JobRunner,
  type Log,
  type Metrics,
  ReportBootFailure,
  RunHandlerJob,
  RunWithoutHandler,
  type WorkerIdentity,
} from '@flash/worker-core';
import { findHandlerFile, missingHandlerMessage } from './handler-file.ts';
import type { WorkerSettings } from './settings.ts';

export interface DeployedAppDependencies {
  readonly settings: WorkerSettings;
  readonly executor: Executor;
  readonly installDependencies: InstallDependencies;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly identity: WorkerIdentity;
  /** Brings the app's files; `undefined` where there are none to bring. */
  readonly source: AppSource | undefined;
  /** Runs jobs when the app has no handler for them. */
  readonly live: JobRunner;
}

/** What runs this worker's jobs, once it is known what there is: a handler, live code, or the reason why neither is to be had. */
export class DeployedApp implements JobRunner {
  readonly #dependencies: DeployedAppDependencies;
  readonly #closed = new AbortController();
  #prepared: Promise<void> | undefined;
  #runner: JobRunner | undefined;
  #failure: Error | undefined;

  constructor(dependencies: DeployedAppDependencies) {
    this.#dependencies = dependencies;
    // Wrong settings are told at the start, not with the first job.
    findHandlerFile(dependencies.settings);
  }

  /** Why the app can't be served; `undefined` when it can, or is not prepared yet. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Brings the app into place. Rejects only when a failure is to end the worker (`FLASH_BOOT_FAILURE=exit`). */
  prepare(): Promise<void> {
    this.#prepared ??= this.#prepare();
    return this.#prepared;
  }

  async run(job: Job, listeners?: JobListeners): Promise<JobOutcome> {
    await this.prepare();
    this.#runner ??= this.#choose();
    return this.#runner.run(job, listeners);
  }

  close(): void {
    this.#closed.abort();
  }

  async #prepare(): Promise<void> {
    const { source, settings, log } = this.#dependencies;
    try {
      await source?.prepare(this.#closed.signal);
    } catch (error) {
      this.#failure = error as Error;
      if (settings.FLASH_BOOT_FAILURE === 'exit' || this.#closed.signal.aborted) throw error;
      log.write('error', 'the app can’t be served: every job is answered with the reason', {
        reason: this.#failure.message,
      });
    }
  }

  #choose(): JobRunner {
    const { settings, executor, installDependencies, log, metrics, identity } = this.#dependencies;
    if (this.#failure !== undefined) return new ReportBootFailure(this.#failure, identity);
    const file = findHandlerFile(settings);
    if (file === undefined) return this.#withoutHandler();
    return new RunHandlerJob({
      executor,
      installMissingModule: new InstallMissingModule(installDependencies, executor),
      log,
      metrics,
      file,
      identity,
      maxLoggedOutputBytes: settings.FLASH_MAX_LOGGED_OUTPUT_BYTES,
      aggregateStream: settings.FLASH_AGGREGATE_STREAM,
    });
  }

  #withoutHandler(): JobRunner {
    const { settings, live, identity } = this.#dependencies;
    if (settings.FLASH_RESOURCE_NAME === undefined) return live;
    const missing = new AppError(missingHandlerMessage(settings));
    return new RunWithoutHandler(live, new ReportBootFailure(missing, identity));
  }
}
