import type {
  EndpointRouter,
  FunctionCall,
  RemoteCallOptions,
  RemoteEndpoint,
  ResponseParts,
} from '@flash/worker-core';
import { readSettings } from './settings.ts';

/** EndpointRouter that loads its HTTP client with the first call: most workers call no other endpoint. */
export class LazyEndpointRouter implements EndpointRouter {
  readonly #env: NodeJS.ProcessEnv;
  #router: Promise<EndpointRouter> | undefined;

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  async call(
    endpoint: RemoteEndpoint,
    call: FunctionCall,
    options: RemoteCallOptions,
  ): Promise<ResponseParts> {
    this.#router ??= this.#load();
    return (await this.#router).call(endpoint, call, options);
  }

  async close(): Promise<void> {
    await (await this.#router)?.close();
  }

  async #load(): Promise<EndpointRouter> {
    const { endpointRouterSettingsSchema, RunpodEndpointRouter } = await import('@flash/infra-runpod');
    return new RunpodEndpointRouter(readSettings(endpointRouterSettingsSchema, this.#env));
  }
}
