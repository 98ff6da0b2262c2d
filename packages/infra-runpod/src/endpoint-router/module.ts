import { ports } from '@flash/worker-core';
import { ContainerModule } from 'inversify';
import type { EndpointRouterSettings } from './settings.ts';
import { RunpodEndpointRouter } from './runpod-endpoint-router.ts';

/** Binds the EndpointRouter port to the platform's data plane. */
export function endpointRouterModule(settings: EndpointRouterSettings): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(ports.EndpointRouter).toConstantValue(new RunpodEndpointRouter(settings));
  });
}
