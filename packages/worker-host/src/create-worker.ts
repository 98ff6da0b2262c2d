import 'reflect-metadata';
import { loggingModule } from '@flash/infra-logging';
import { pythonBridgeModule } from '@flash/infra-python-bridge';
import { pythonPackagesModule } from '@flash/infra-python-packages';
import { systemPackagesModule } from '@flash/infra-system-packages';
import {
  ExecuteRequest,
  type Executor,
  InstallDependencies,
  type Installer,
  type Log,
  NoVolumeCache,
  ports,
  RunJob,
  SecretRedactor,
  type VolumeCache,
} from '@flash/worker-core';
import { Container, ContainerModule } from 'inversify';
import { findPython } from './find-python.ts';
import { readSettings, workerSettingsSchema } from './settings.ts';
import { userEnvironment } from './user-environment.ts';

export interface CreateWorkerOptions {
  /** Where settings come from; default `process.env`. */
  readonly env?: NodeJS.ProcessEnv;
  /** Modules that bind ports of the host's own; a port they leave out gets its usual adapter. */
  readonly modules?: readonly ContainerModule[];
}

/** A worker, put together and ready to be started. */
export interface Worker {
  readonly log: Log;
  /** The main job: execute a FunctionRequest. */
  readonly executeRequest: ExecuteRequest;
  /** The same for a queue's job. */
  readonly runJob: RunJob;
  /** Brings up Python, so that the first request need not wait for it. Rejects with WorkerStartError when it can't serve. */
  start(): Promise<void>;
  /** Ends every process the worker has started. */
  close(): Promise<void>;
}

const secretNames = ['RUNPOD_AI_API_KEY', 'RUNPOD_API_KEY', 'HF_TOKEN'];

/**
 * Composes a worker out of its use cases and adapters.
 *
 * @throws SettingsError naming a setting that is wrong, WorkerStartError when there is no Python.
 */
export function createWorker({ env = process.env, modules = [] }: CreateWorkerOptions = {}): Worker {
  const container = new Container({ defaultScope: 'Singleton' });
  for (const module of modules) container.load(module);
  bindDefaults(container, env);
  const executeRequest = container.get(ExecuteRequest);
  const executor = container.get<Executor>(ports.Executor);
  return {
    log: container.get<Log>(ports.Log),
    executeRequest,
    runJob: new RunJob(executeRequest),
    start: () => executor.start(),
    close: async () => {
      await executor.close();
      await executeRequest.close();
    },
  };
}

const noVolumeCacheModule = new ContainerModule(({ bind }) => {
  bind(ports.VolumeCache).toConstantValue(new NoVolumeCache());
});

function bindDefaults(container: Container, env: NodeJS.ProcessEnv): void {
  const settings = readSettings(workerSettingsSchema, env);
  const redactor = new SecretRedactor(secretNames.map((name) => env[name]));
  const userEnv = userEnvironment(env);
  const python = (): string => findPython(settings.FLASH_PYTHON, env, process.cwd());
  const defaults: [symbol, () => ContainerModule][] = [
    [ports.Log, () => loggingModule({ settings, redactor })],
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
    [ports.SystemInstaller, () => systemPackagesModule({ env: userEnv, settings, redactor })],
    [ports.VolumeCache, () => noVolumeCacheModule],
  ];
  for (const [port, module] of defaults) if (!container.isBound(port)) container.load(module());
  container
    .bind(InstallDependencies)
    .toResolvedValue(
      (pythonInstaller: Installer, systemInstaller: Installer) =>
        new InstallDependencies(pythonInstaller, systemInstaller),
      [ports.PythonInstaller, ports.SystemInstaller],
    );
  container.bind(ExecuteRequest).toResolvedValue(
    (executor: Executor, installDependencies: InstallDependencies, volumeCache: VolumeCache, log: Log) =>
      new ExecuteRequest({
        executor,
        installDependencies,
        volumeCache,
        log,
        maxLoggedOutputBytes: settings.FLASH_MAX_LOGGED_OUTPUT_BYTES,
      }),
    [ports.Executor, InstallDependencies, ports.VolumeCache, ports.Log],
  );
}
