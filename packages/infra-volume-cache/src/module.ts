import { type Log, ports } from '@flash/worker-core';
import { ContainerModule } from 'inversify';
import { TarSegmentCache, type TarSegmentCacheOptions } from './tar-segment-cache.ts';

/** Binds the VolumeCache port to the segments on the network volume. */
export function volumeCacheModule(options: Omit<TarSegmentCacheOptions, 'log'>): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(ports.VolumeCache)
      .toResolvedValue((log: Log) => new TarSegmentCache({ ...options, log }), [ports.Log])
      .inSingletonScope();
  });
}
