import { type Log, ports } from '@flash/worker-core';
import { ContainerModule } from 'inversify';
import { TarAppArtifact, type TarAppArtifactOptions } from './tar-app-artifact.ts';

/** Binds the AppSource port to an artifact. */
export function appArtifactModule(options: Omit<TarAppArtifactOptions, 'log'>): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(ports.AppSource)
      .toResolvedValue((log: Log) => new TarAppArtifact({ ...options, log }), [ports.Log])
      .inSingletonScope();
  });
}
