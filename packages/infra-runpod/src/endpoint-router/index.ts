/** `@flash/infra-runpod/endpoint-router`: the EndpointRouter port on the platform's data plane. Loads nothing of the queue. */
export { endpointRouterModule } from './module.ts';
export { RunpodEndpointRouter } from './runpod-endpoint-router.ts';
export { type EndpointRouterSettings, endpointRouterSettingsSchema } from './settings.ts';
