import { resolve } from 'node:path';
import {
  type EndpointRouter,
  type Environments,
  ExecuteRequest,
  type Executor,
  InstallDependencies,
  type Installer,
  type Log,
  type ManifestStore,
  type Metrics,
  PlaceCall,
  ports,
  type VolumeCache,
  WarmUp,
} from '@flash/worker-core';
import type { Container } from 'inversify';
import { manifestPath, missingModuleMessage } from './app-files.ts';
import type { WorkerSettings } from './settings.ts';

/** The use cases of a worker. */
export interface UseCases {
  readonly executeRequest: ExecuteRequest;
  readonly installDependencies: InstallDependencies;
  readonly warmUp: WarmUp;
}

/** Puts the use cases together. The core knows no container: what each takes is said here. */
export function createUseCases(container: Container, settings: WorkerSettings): UseCases {
  const executor = container.get<Executor>(ports.Executor);
  const volumeCache = container.get<VolumeCache>(ports.VolumeCache);
  // The settings, or a host, may do without.
  const environments = container.isBound(ports.Environments)
    ? container.get<Environments>(ports.Environments)
    : undefined;
  const installDependencies = new InstallDependencies({
    python: container.get<Installer>(ports.PythonInstaller),
    system: container.get<Installer>(ports.SystemInstaller),
    volumeCache,
    environments,
  });
  const executeRequest = new ExecuteRequest({
    executor,
    installDependencies,
    volumeCache,
    environments,
    placeCall: placeCall(settings, container.get<ManifestStore>(ports.ManifestStore)),
    router: container.get<EndpointRouter>(ports.EndpointRouter),
    log: container.get<Log>(ports.Log),
    metrics: container.get<Metrics>(ports.Metrics),
    maxLoggedOutputBytes: settings.FLASH_MAX_LOGGED_OUTPUT_BYTES,
  });
  return { executeRequest, installDependencies, warmUp: new WarmUp(executor, volumeCache, environments) };
}

function placeCall(settings: WorkerSettings, manifests: ManifestStore): PlaceCall {
  const { FLASH_APP: app, FLASH_ENV: environment, RUNPOD_API_KEY, FLASH_RESOURCE_NAME } = settings;
  const isNamed = app !== undefined && environment !== undefined;
  return new PlaceCall({
    manifests,
    self: FLASH_RESOURCE_NAME ?? settings.RUNPOD_ENDPOINT_ID,
    directory: resolve(settings.FLASH_APP_DIR),
    manifestPlace: `${manifestPath(settings)} (FLASH_MANIFEST_PATH)`,
    missingModule: (module) => missingModuleMessage(settings, module),
    platform: isNamed ? { app, environment, hasKey: RUNPOD_API_KEY !== undefined } : undefined,
  });
}
