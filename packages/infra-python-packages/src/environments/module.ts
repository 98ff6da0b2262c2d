import {
  type Environments,
  type Executor,
  type Log,
  type Metrics,
  ports,
  type VolumeCache,
} from '@flash/worker-core';
import { ContainerModule } from 'inversify';
import { whenNeeded } from '../when-needed.ts';
import type { UvEnvironmentsOptions } from './uv-environments.ts';

// Hosts need not bind metrics.
const metricsIfBound = { serviceIdentifier: ports.Metrics, isMultiple: false, optional: true } as const;

/** Binds environments for each set of Python packages; loaded when they are first asked for, as the installer is. */
export function environmentsModule(
  options: Omit<UvEnvironmentsOptions, 'log' | 'metrics' | 'volumeCache' | 'executor'>,
): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(ports.Environments)
      .toResolvedValue(
        (executor: Executor, volumeCache: VolumeCache, log: Log, metrics: Metrics | undefined) =>
          deferred({ ...options, executor, volumeCache, log, metrics }),
        [ports.Executor, ports.VolumeCache, ports.Log, metricsIfBound],
      )
      .inSingletonScope();
  });
}

function deferred(options: UvEnvironmentsOptions): Environments {
  let isNeeded = false;
  const environments = whenNeeded(async () => {
    isNeeded = true;
    const { UvEnvironments } = await import('./uv-environments.ts');
    return new UvEnvironments(options);
  });
  return {
    acquire: async (requirements, given) => (await environments()).acquire(requirements, given),
    prewarm: async () => (await environments()).prewarm(),
    close: async () => {
      if (isNeeded) await (await environments()).close();
    },
  };
}
