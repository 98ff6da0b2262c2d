import { resolve } from 'node:path';
import {
  type EndpointRouter,
  ExecuteRequest,
  type Executor,
  InstallDependencies,
  type Installer,
  type Log,
  type ManifestStore,
  PlaceCall,
  ports,
  type VolumeCache,
} from '@flash/worker-core';
import type { Container } from 'inversify';
import type { WorkerSettings } from './settings.ts';

/** Binds the use cases to their ports. The core knows no container: what each takes is said here. */
export function bindUseCases(container: Container, settings: WorkerSettings): void {
  container
    .bind(InstallDependencies)
    .toResolvedValue(
      (pythonInstaller: Installer, systemInstaller: Installer) =>
        new InstallDependencies(pythonInstaller, systemInstaller),
      [ports.PythonInstaller, ports.SystemInstaller],
    );
  container
    .bind(PlaceCall)
    .toResolvedValue((manifests: ManifestStore) => placeCall(settings, manifests), [ports.ManifestStore]);
  container.bind(ExecuteRequest).toResolvedValue(
    (
      executor: Executor,
      installDependencies: InstallDependencies,
      volumeCache: VolumeCache,
      log: Log,
      place: PlaceCall,
      router: EndpointRouter,
    ) =>
      new ExecuteRequest({
        executor,
        installDependencies,
        volumeCache,
        placeCall: place,
        router,
        log,
        maxLoggedOutputBytes: settings.FLASH_MAX_LOGGED_OUTPUT_BYTES,
      }),
    [ports.Executor, InstallDependencies, ports.VolumeCache, ports.Log, PlaceCall, ports.EndpointRouter],
  );
}

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
