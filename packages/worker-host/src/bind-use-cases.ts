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

/** Binds the use cases to their ports. The core knows no container: what each takes is said here. */
export function bindUseCases(container: Container, settings: WorkerSettings): void {
  // The settings, or a host, may do without.
  const environments = { serviceIdentifier: ports.Environments, isMultiple: false, optional: true } as const;
  container
    .bind(InstallDependencies)
    .toResolvedValue(
      (
        python: Installer,
        system: Installer,
        volumeCache: VolumeCache,
        environments: Environments | undefined,
      ) => new InstallDependencies({ python, system, volumeCache, environments }),
      [ports.PythonInstaller, ports.SystemInstaller, ports.VolumeCache, environments],
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
      metrics: Metrics,
      place: PlaceCall,
      router: EndpointRouter,
      environments: Environments | undefined,
    ) =>
      new ExecuteRequest({
        executor,
        installDependencies,
        volumeCache,
        environments,
        placeCall: place,
        router,
        log,
        metrics,
        maxLoggedOutputBytes: settings.FLASH_MAX_LOGGED_OUTPUT_BYTES,
      }),
    [
      ports.Executor,
      InstallDependencies,
      ports.VolumeCache,
      ports.Log,
      ports.Metrics,
      PlaceCall,
      ports.EndpointRouter,
      environments,
    ],
  );
  container
    .bind(WarmUp)
    .toResolvedValue(
      (executor: Executor, volumeCache: VolumeCache, environments: Environments | undefined) =>
        new WarmUp(executor, volumeCache, environments),
      [ports.Executor, ports.VolumeCache, environments],
    );
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
