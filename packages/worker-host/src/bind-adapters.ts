import { appArtifactModule } from '@flash/infra-app-artifact';
import { fitnessModule } from '@flash/infra-fitness';
import { loggingModule } from '@flash/infra-logging';
import { manifestModule } from '@flash/infra-manifest';
import { metricsModule } from '@flash/infra-metrics';
import { appServerModule, pythonBridgeModule } from '@flash/infra-python-bridge';
import { environmentsModule, pythonPackagesModule } from '@flash/infra-python-packages';
import { endpointRouterModule } from '@flash/infra-runpod/endpoint-router';
import { systemPackagesModule } from '@flash/infra-system-packages';
import { tracingModule } from '@flash/infra-tracing';
import { volumeCacheModule } from '@flash/infra-volume-cache';
import { ports, workerVersion } from '@flash/worker-core';
import type { Container, ContainerModule } from 'inversify';
import { manifestPath } from './app-files.ts';
import { isFlashDeployment } from './app-settings.ts';
import { explainStartFailure } from './explain-start-failure.ts';
import { findPython } from './find-python.ts';
import { abandonHeadStart, type HeadStart } from './head-start.ts';
import { withCommandsOf } from './interpreter-commands.ts';
import type { WorkerSettings } from './settings.ts';
import { userEnvironment } from './user-environment.ts';
import { renewableExecutorModule } from './renewable-executor-module.ts';
import { findWebApp } from './web-app.ts';
import { secretsOf } from './worker-secrets.ts';

const uvicornLevels = { debug: 'debug', info: 'info', warn: 'warning', error: 'error' } as const;

/** See CreateWorkerOptions. */
interface AdapterOptions {
  readonly logDescriptor?: number | undefined;
  readonly headStart?: HeadStart | undefined;
}

/** Binds every port that is still unbound to its usual adapter. */
export function bindAdapters(
  container: Container,
  env: NodeJS.ProcessEnv,
  settings: WorkerSettings,
  { logDescriptor, headStart }: AdapterOptions,
): void {
  const redactor = secretsOf(env);
  const userEnv = userEnvironment(env);
  const endpointId = settings.RUNPOD_ENDPOINT_ID;
  const isDeployment = isFlashDeployment(settings, endpointId);
  let pythonEnv: NodeJS.ProcessEnv | undefined;
  // Looked for only when an adapter needs it: a host may have bound them all.
  const python = () => {
    const path = findPython(settings.FLASH_PYTHON, env, process.cwd());
    pythonEnv ??= withCommandsOf(path, userEnv);
    return { python: path, env: pythonEnv, requiredVersion: settings.FLASH_PYTHON_VERSION };
  };
  const path = manifestPath(settings);
  const adapters: Record<string, () => ContainerModule> = {
    Log: () => loggingModule({ settings, redactor, descriptor: logDescriptor }),
    Metrics: () => metricsModule(),
    Tracer: () =>
      tracingModule(
        settings,
        {
          'service.version': workerVersion,
          ...(endpointId !== undefined && { 'flash.endpoint_id': endpointId }),
        },
        python,
      ),
    Executor: () => {
      const given = python();
      // In another environment than was guessed it would be another Python.
      const isFit = headStart?.python === given.python && headStart.env === env;
      if (!isFit) abandonHeadStart(headStart);
      let unused = isFit ? headStart.bridge : undefined;
      const makeModule = (): ContainerModule => {
        const ahead = unused;
        unused = undefined;
        return pythonBridgeModule({ ...given, headStart: ahead, settings });
      };
      return renewableExecutorModule(container, makeModule, (error) => explainStartFailure(error, settings));
    },
    PythonInstaller: () => pythonPackagesModule({ ...python(), settings, redactor }),
    SystemInstaller: () => systemPackagesModule({ env: userEnv, settings, redactor }),
    ...(settings.FLASH_ENVIRONMENTS === 'isolated' && {
      Environments: () => environmentsModule({ ...python(), settings, redactor }),
    }),
    VolumeCache: () => volumeCacheModule({ settings, endpointId }),
    ManifestStore: () => manifestModule({ settings, isDeployment, endpointId, path }),
    EndpointRouter: () => endpointRouterModule(settings),
    AppServer: () =>
      appServerModule({
        ...python(),
        settings,
        redactor,
        findApp: () => findWebApp(settings),
        endpointId: endpointId ?? 'unknown',
        logLevel: uvicornLevels[settings.RUNPOD_LOG_LEVEL ?? settings.LOG_LEVEL ?? 'info'],
        exitOnFailure: settings.FLASH_BOOT_FAILURE === 'exit',
      }),
    ...(isDeployment && {
      AppSource: () => appArtifactModule({ settings, appDirectory: settings.FLASH_APP_DIR, python }),
    }),
  };
  for (const [name, module] of Object.entries(adapters)) {
    if (!container.isBound(ports[name as keyof typeof ports])) container.load(module());
  }
  // Checks add up: those of a host stand beside the built-in ones.
  container.load(fitnessModule({ settings, env: userEnv }));
}
