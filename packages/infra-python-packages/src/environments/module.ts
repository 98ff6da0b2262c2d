import { type Executor, type Log, ports, type VolumeCache } from '@flash/worker-core';
import { ContainerModule } from 'inversify';
import { UvEnvironments, type UvEnvironmentsOptions } from './uv-environments.ts';

/** Binds environments for each set of Python packages. */
export function environmentsModule(
  options: Omit<UvEnvironmentsOptions, 'log' | 'volumeCache' | 'executor'>,
): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(ports.Environments)
      .toResolvedValue(
        (executor: Executor, volumeCache: VolumeCache, log: Log) =>
          new UvEnvironments({ ...options, executor, volumeCache, log }),
        [ports.Executor, ports.VolumeCache, ports.Log],
      )
      .inSingletonScope();
  });
}
