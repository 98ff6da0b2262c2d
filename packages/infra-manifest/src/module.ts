import { type Log, ports } from '@flash/worker-core';
import { ContainerModule } from 'inversify';
import {
  StateManagerManifestStore,
  type StateManagerManifestStoreOptions,
} from './state-manager-manifest-store.ts';

/** Binds the ManifestStore port to a file and the State Manager behind it. */
export function manifestModule(options: Omit<StateManagerManifestStoreOptions, 'log'>): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(ports.ManifestStore)
      .toResolvedValue((log: Log) => new StateManagerManifestStore({ ...options, log }), [ports.Log])
      .inSingletonScope();
  });
}
