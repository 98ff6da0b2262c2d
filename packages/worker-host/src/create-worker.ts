import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { appArtifactModule } from '@flash/infra-app-artifact';
import { fitnessModule } from '@flash/infra-fitness';
import { loggingModule } from '@flash/infra-logging';
import { appServerModule, pythonBridgeModule } from '@flash/infra-python-bridge';
import { manifestModule } from '@flash/infra-manifest';
import { pythonPackagesModule } from '@flash/infra-python-packages';
import { systemPackagesModule } from '@flash/infra-system-packages';
import {
  type AppServer,
  type AppSource,
  CheckFitness,
  type EndpointRouter,
  ExecuteRequest,
  type Executor,
  type FitnessCheck,
  InstallDependencies,
  InstallMissingModule,
  type Installer,
  type JobRunner,
  type Log,
  type ManifestStore,
  NoVolumeCache,
  PlaceCall,
  ports,
  RunFunctionJob,
  ServeApp,
  type UnfitError,
  type VolumeCache,
  type WorkerIdentity,
  workerVersion,
} from '@flash/worker-core';
import { Container, ContainerModule } from 'inversify';
import { findPython } from './find-python.ts';
import { isFlashDeployment } from './app-settings.ts';
import { readConcurrency } from './concurrency.ts';
import { LazyEndpointRouter } from './lazy-endpoint-router.ts';
import { DeployedApp } from './deployed-app.ts';
import { readSettings, type WorkerSettings, workerSettingsSchema } from './settings.ts';
import { userEnvironment } from './user-environment.ts';
import { findWebApp, servesWebApp } from './web-app.ts';
import { secretsOf } from './worker-secrets.ts';

export interface CreateWorkerOptions {
  /** Where settings come from; default `process.env`. */
  readonly env?: NodeJS.ProcessEnv;
  /** Modules that bind ports of the host's own; a port they leave out gets its usual adapter. */
  readonly modules?: readonly ContainerModule[];
  /**
   * The front door this worker is for. At "load-balancer" it serves the user's own web app where the settings say so (contract,
   * section 3); default "queue".
   */
  readonly entry?: 'queue' | 'load-balancer';
  /** File descriptor the log is written to; default 2. */
  readonly logDescriptor?: number | undefined;
}

/** A worker, put together and ready to be started. */
export interface Worker {
  readonly log: Log;
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
  /** What keeps this machine from serving; `undefined` when nothing does. */
  checkFitness(): Promise<UnfitError | undefined>;
  /** Brings up Python and the deployed app, so that the first request need not wait for them. Rejects with WorkerStartError when it can't serve. */
  start(): Promise<void>;
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
  bindDefaults(container, env, settings, options.logDescriptor);
  const hasWebApp = options.entry === 'load-balancer' && servesWebApp(settings);
  // Wrong settings are told at the start, not when the app is.
  if (hasWebApp) findWebApp(settings);
  const log = container.get<Log>(ports.Log);
  const executeRequest = container.get(ExecuteRequest);
  const executor = container.get<Executor>(ports.Executor);
  const manifests = container.get<ManifestStore>(ports.ManifestStore);
  let concurrency = settings.FLASH_CONCURRENCY ?? 1;
  const identity: WorkerIdentity = {
    workerId: settings.RUNPOD_POD_ID ?? randomUUID(),
    hostname: settings.RUNPOD_POD_HOSTNAME ?? hostname(),
    version: workerVersion,
  };
  const checks = container.isBound(ports.FitnessCheck)
    ? container.getAll<FitnessCheck>(ports.FitnessCheck)
    : [];
  const fitness = new CheckFitness(checks, log, settings.FLASH_FITNESS_TIMEOUT_MS);
  const app = new DeployedApp({
    settings,
    executor,
    installDependencies: container.get(InstallDependencies),
    log,
    identity,
    source: container.isBound(ports.AppSource) ? container.get<AppSource>(ports.AppSource) : undefined,
    live: new RunFunctionJob(executeRequest),
  });
  return {
    log,
    executeRequest,
    jobRunner: app,
    get concurrency() {
      return concurrency;
    },
    identity,
    serveApp: hasWebApp
      ? new ServeApp({
          server: container.get<AppServer>(ports.AppServer),
          installMissingModule: new InstallMissingModule(container.get(InstallDependencies), executor),
          log,
        })
      : undefined,
    get bootFailure() {
      return app.failure;
    },
    checkFitness: () => fitness.run(),
    start: async () => {
      // A web app has processes of its own; nothing else runs beside it.
      await Promise.all([hasWebApp ? undefined : executor.start(), app.prepare()]);
      concurrency = await readConcurrency(settings, manifests, log);
    },
    close: async () => {
      app.close();
      await executor.close();
      await executeRequest.close();
    },
  };
}

/** Jobs in flight at once are no use without a process for each, unless somebody wants it so. */
function withRunnersForJobs(settings: WorkerSettings, env: NodeJS.ProcessEnv): WorkerSettings {
  if (env.FLASH_MAX_RUNNERS) return settings;
  const { FLASH_MAX_RUNNERS, FLASH_CONCURRENCY = 1 } = settings;
  return { ...settings, FLASH_MAX_RUNNERS: Math.max(FLASH_MAX_RUNNERS, FLASH_CONCURRENCY) };
}

const noVolumeCacheModule = new ContainerModule(({ bind }) => {
  bind(ports.VolumeCache).toConstantValue(new NoVolumeCache());
});

const lazyRouterModule = (env: NodeJS.ProcessEnv): ContainerModule =>
  new ContainerModule(({ bind }) => {
    bind(ports.EndpointRouter).toConstantValue(new LazyEndpointRouter(env));
  });

function placeCall(settings: WorkerSettings, manifests: ManifestStore): PlaceCall {
  const { FLASH_APP: app, FLASH_ENV: environment, RUNPOD_API_KEY, FLASH_RESOURCE_NAME } = settings;
  const isNamed = app !== undefined && environment !== undefined && RUNPOD_API_KEY !== undefined;
  return new PlaceCall({
    manifests,
    self: FLASH_RESOURCE_NAME ?? settings.RUNPOD_ENDPOINT_ID,
    directory: resolve(settings.FLASH_APP_DIR),
    platform: isNamed ? { app, environment } : undefined,
  });
}

const uvicornLevels = { debug: 'debug', info: 'info', warn: 'warning', error: 'error' } as const;

function bindDefaults(
  container: Container,
  env: NodeJS.ProcessEnv,
  settings: WorkerSettings,
  logDescriptor: number | undefined,
): void {
  const redactor = secretsOf(env);
  const userEnv = userEnvironment(env);
  const isDeployment = isFlashDeployment(settings, settings.RUNPOD_ENDPOINT_ID);
  const python = (): string => findPython(settings.FLASH_PYTHON, env, process.cwd());
  const defaults: [symbol, () => ContainerModule][] = [
    [ports.Log, () => loggingModule({ settings, redactor, descriptor: logDescriptor })],
    [
      ports.Executor,
      () =>
        pythonBridgeModule({
          python: python(),
          env: userEnv,
          settings,
          requiredVersion: settings.FLASH_PYTHON_VERSION,
        }),
    ],
    [
      ports.PythonInstaller,
      () => pythonPackagesModule({ python: python(), env: userEnv, settings, redactor }),
    ],
    [
      ports.AppServer,
      () =>
        appServerModule({
          python: python(),
          env: userEnv,
          settings,
          requiredVersion: settings.FLASH_PYTHON_VERSION,
          findApp: () => findWebApp(settings),
          endpointId: settings.RUNPOD_ENDPOINT_ID ?? 'unknown',
          logLevel: uvicornLevels[settings.RUNPOD_LOG_LEVEL ?? settings.LOG_LEVEL ?? 'info'],
          exitOnFailure: settings.FLASH_BOOT_FAILURE === 'exit',
        }),
    ],
    [
      ports.ManifestStore,
      () =>
        manifestModule({
          settings,
          isDeployment,
          endpointId: settings.RUNPOD_ENDPOINT_ID,
          path: settings.FLASH_MANIFEST_PATH ?? join(settings.FLASH_APP_DIR, 'flash_manifest.json'),
        }),
    ],
    [ports.EndpointRouter, () => lazyRouterModule(env)],
    [ports.SystemInstaller, () => systemPackagesModule({ env: userEnv, settings, redactor })],
    [ports.VolumeCache, () => noVolumeCacheModule],
  ];
  // Checks add up: those of a host stand beside the built-in ones.
  container.load(fitnessModule({ settings, env: userEnv }));
  if (isDeployment) {
    defaults.push([
      ports.AppSource,
      () => appArtifactModule({ settings, appDirectory: settings.FLASH_APP_DIR }),
    ]);
  }
  for (const [port, module] of defaults) if (!container.isBound(port)) container.load(module());
  container
    .bind(InstallDependencies)
    .toResolvedValue(
      (pythonInstaller: Installer, systemInstaller: Installer) =>
        new InstallDependencies(pythonInstaller, systemInstaller),
      [ports.PythonInstaller, ports.SystemInstaller],
    );
  container.bind(ExecuteRequest).toResolvedValue(
    (
      executor: Executor,
      installDependencies: InstallDependencies,
      volumeCache: VolumeCache,
      log: Log,
      manifests: ManifestStore,
      router: EndpointRouter,
    ) =>
      new ExecuteRequest({
        executor,
        installDependencies,
        volumeCache,
        placeCall: placeCall(settings, manifests),
        router,
        log,
        maxLoggedOutputBytes: settings.FLASH_MAX_LOGGED_OUTPUT_BYTES,
      }),
    [
      ports.Executor,
      InstallDependencies,
      ports.VolumeCache,
      ports.Log,
      ports.ManifestStore,
      ports.EndpointRouter,
    ],
  );
}
