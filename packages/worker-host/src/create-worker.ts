// As inversify does: without the copies of Map and WeakMap for old engines, and not a second time.
import 'reflect-metadata/lite';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { MetricsServer } from '@flash/infra-metrics';
import {
  type AppServer,
  type AppSource,
  CheckFitness,
  type ExecuteRequest,
  type Executor,
  type FitnessCheck,
  InstallMissingModule,
  type JobRunner,
  type Log,
  type ManifestStore,
  type Metrics,
  ports,
  rehearseDecoding,
  RenewableExecutor,
  RunFunctionJob,
  type RunnerReport,
  ServeApp,
  type Tracer,
  type UnfitError,
  type WorkerIdentity,
  WorkerStartError,
  workerVersion,
} from '@flash/worker-core';
import { Container, type ContainerModule } from 'inversify';
import { bindAdapters } from './bind-adapters.ts';
import { readConcurrency } from './concurrency.ts';
import { createUseCases } from './create-use-cases.ts';
import { DeployedApp } from './deployed-app.ts';
import { explainStartFailure } from './explain-start-failure.ts';
import type { HeadStart } from './head-start.ts';
import { readSettings, type WorkerSettings, workerSettingsSchema } from './settings.ts';
import { servesWebApp } from './serves-web-app.ts';
import { StartPhases } from './start-phases.ts';
import { findWebApp, missingWebAppMessage } from './web-app.ts';

const rehearsalDelayMs = 20;

export interface CreateWorkerOptions {
  /** Where settings come from; default `process.env`. */
  readonly env?: NodeJS.ProcessEnv;
  /** Modules that bind ports of the host's own; a port they leave out gets its usual adapter. */
  readonly modules?: readonly ContainerModule[];
  /**
   * The front door this worker is for. At "load-balancer" it serves the user's own web app where the settings say so (docs/reference/protocol.md,
   * Modes); default "queue".
   */
  readonly entry?: 'queue' | 'load-balancer';
  /** File descriptor the log is written to; default 2. */
  readonly logDescriptor?: number | undefined;
  /** The zygote that was started before this was loaded, with the same environment (`@flash/worker-host/head-start`). The worker ends it. */
  readonly headStart?: HeadStart | undefined;
}

/** A worker, put together and ready to be started. */
export interface Worker {
  readonly log: Log;
  /** What is measured; `expose()` has it for `GET /metrics`. */
  readonly metrics: Metrics;
  /** Follows requests; the front door that takes them begins their spans. */
  readonly tracer: Tracer;
  /** The main job: execute a FunctionRequest. */
  readonly executeRequest: ExecuteRequest;
  /** Runs a queue's job: with the deployed app's handler where there is one, else as a FunctionRequest. */
  readonly jobRunner: JobRunner;
  /** Jobs to have in flight at once; known when the worker has started. */
  readonly concurrency: number;
  /** Why the deployed app can't be served; every job is answered with it. */
  readonly bootFailure: Error | undefined;
  readonly identity: WorkerIdentity;
  /** Serves the user's own web app; `undefined` when there is none to serve. */
  readonly serveApp: ServeApp | undefined;
  /** The processes that run user code, for operators. */
  runners(): Promise<readonly RunnerReport[]>;
  /** What keeps this machine from serving; `undefined` when nothing does. */
  checkFitness(): Promise<UnfitError | undefined>;
  /** Brings up Python and the deployed app, so that the first request need not wait for them. Rejects with WorkerStartError when it can't serve. */
  start(): Promise<void>;
  /**
   * Replaces the processes that run user code, for a job that asks for a fresh worker (`refresh_worker`) of a process that other clients
   * talk to: what is at work ends where it is, what comes later finds nothing of it. An Executor of the host's own is left as it is.
   */
  renew(): void;
  /** Ends every process the worker has started. */
  close(): Promise<void>;
}

/**
 * Composes a worker out of its use cases and adapters.
 *
 * @throws SettingsError naming a setting that is wrong, WorkerStartError when there is no Python.
 */
export function createWorker(options: CreateWorkerOptions = {}): Worker {
  const { env = process.env, modules = [] } = options;
  const settings = withRunnersForJobs(readSettings(workerSettingsSchema, env), env);
  const container = new Container({ defaultScope: 'Singleton' });
  for (const module of modules) container.load(module);
  bindAdapters(container, env, settings, options);
  const { executeRequest, installDependencies, warmUp } = createUseCases(container, settings);
  const hasWebApp = options.entry === 'load-balancer' && servesWebApp(settings);
  // Wrong settings are told at the start, not when the app is.
  if (hasWebApp) findWebApp(settings);
  const log = container.get<Log>(ports.Log);
  const executor = container.get<Executor>(ports.Executor);
  const manifests = container.get<ManifestStore>(ports.ManifestStore);
  let concurrency = settings.FLASH_CONCURRENCY ?? 1;
  let workerId = settings.RUNPOD_POD_ID;
  const identity: WorkerIdentity = {
    // node:crypto is loaded when it is needed: that takes 3 ms, which a start does not spend.
    get workerId() {
      workerId ??= randomUUID();
      return workerId;
    },
    hostname: settings.RUNPOD_POD_HOSTNAME ?? hostname(),
    version: workerVersion,
  };
  const checks = container.isBound(ports.FitnessCheck)
    ? container.getAll<FitnessCheck>(ports.FitnessCheck)
    : [];
  const fitness = new CheckFitness(checks, log, settings.FLASH_FITNESS_TIMEOUT_MS);
  const metrics = container.get<Metrics>(ports.Metrics);
  const phases = new StartPhases(metrics);
  const app = new DeployedApp({
    settings,
    executor,
    installDependencies,
    log,
    metrics,
    identity,
    source: container.isBound(ports.AppSource) ? container.get<AppSource>(ports.AppSource) : undefined,
    live: new RunFunctionJob(executeRequest),
  });
  const tracer = container.get<Tracer>(ports.Tracer);
  const metricsServer = new MetricsServer(metrics);
  return {
    log,
    metrics,
    tracer,
    executeRequest,
    jobRunner: app,
    get concurrency() {
      return concurrency;
    },
    identity,
    serveApp: hasWebApp
      ? new ServeApp({
          server: container.get<AppServer>(ports.AppServer),
          installMissingModule: new InstallMissingModule(installDependencies, executor),
          log,
          missingFile: () => missingWebAppMessage(settings),
        })
      : undefined,
    get bootFailure() {
      return app.failure;
    },
    runners: () => executor.runners(),
    checkFitness: () => fitness.run(),
    start: async () => {
      await serveMetrics(metricsServer, settings, log);
      // A web app has processes of its own; nothing else runs beside it.
      const started = Promise.all([
        hasWebApp ? undefined : executor.start().then(() => phases.reached('python')),
        app.prepare().then(() => phases.reached('app')),
      ]);
      if (!hasWebApp) void warmUp.run();
      await started.catch(async (error: unknown) => {
        throw await explainStartFailure(error, settings);
      });
      phases.reached('ready');
      // Callers that wait for the promise go on first.
      if (!hasWebApp) setTimeout(rehearse, rehearsalDelayMs, tracer).unref();
      concurrency = await readConcurrency(settings, manifests, log);
    },
    renew: () => {
      if (executor instanceof RenewableExecutor) executor.renew();
    },
    close: async () => {
      metricsServer.close();
      app.close();
      await executor.close();
      await executeRequest.close();
      await tracer.close();
    },
  };
}

/** On the port of its own that the settings may name. */
async function serveMetrics(server: MetricsServer, settings: WorkerSettings, log: Log): Promise<void> {
  const { FLASH_METRICS_HOST: host, FLASH_METRICS_PORT: wanted } = settings;
  if (wanted === undefined) return;
  try {
    const port = await server.listen(host, wanted);
    log.write('info', 'serving metrics', { url: `http://${host}:${port}/metrics` });
  } catch (cause) {
    const reason = `metrics can't be served: ${(cause as Error).message}; set FLASH_METRICS_PORT to a free port`;
    throw new WorkerStartError(reason, { cause });
  }
}

/** Loads what a first request would wait for. */
function rehearse(tracer: Tracer): void {
  void tracer.start();
  rehearseDecoding();
  performance.now();
  process.getBuiltinModule('node:crypto');
}

/** Jobs in flight at once need a process each, unless FLASH_MAX_RUNNERS says otherwise. */
function withRunnersForJobs(settings: WorkerSettings, env: NodeJS.ProcessEnv): WorkerSettings {
  if (env.FLASH_MAX_RUNNERS) return settings;
  const { FLASH_MAX_RUNNERS, FLASH_CONCURRENCY = 1 } = settings;
  return { ...settings, FLASH_MAX_RUNNERS: Math.max(FLASH_MAX_RUNNERS, FLASH_CONCURRENCY) };
}
