import { InvalidRequestError } from '../errors/invalid-request-error.ts';
import type { RemoteEndpoint } from '../ports/endpoint-router.ts';
import type { ManifestStore } from '../ports/manifest-store.ts';
import type { FlashManifest, ManifestFunction, ManifestResource } from '../protocol/flash-manifest.ts';
import type { DeployedCode, FunctionCall } from '../protocol/function-call.ts';

/** Where a call of deployed code is run. */
export type CallPlace =
  | { readonly kind: 'here'; readonly code: DeployedCode }
  | { readonly kind: 'elsewhere'; readonly endpoint: RemoteEndpoint };

/** The app and the environment by which the platform finds endpoints (`FLASH_APP`, `FLASH_ENV`). */
export interface PlatformNames {
  readonly app: string;
  readonly environment: string;
  /** The worker has a key to ask the platform with. */
  readonly hasKey: boolean;
}

export interface PlaceCallDependencies {
  readonly manifests: ManifestStore;
  /** Resource that this worker serves: `FLASH_RESOURCE_NAME`, else `RUNPOD_ENDPOINT_ID`; unknown on a machine of one's own. */
  readonly self: string | undefined;
  /** Directory of the app's modules. */
  readonly directory: string;
  /** Where the manifest was looked for, in words for a person. */
  readonly manifestPlace?: string | undefined;
  /** Why a module of the app can't be there, in words for a person; `undefined` when it is there. */
  readonly missingModule?: ((module: string) => string | undefined) | undefined;
  /** Where the platform finds endpoints that the manifest has no address of; `undefined` when it can't be asked. */
  readonly platform: PlatformNames | undefined;
}

interface Known {
  readonly resourceName: string;
  readonly resource: ManifestResource | undefined;
  readonly entry: ManifestFunction | undefined;
}

/** Decides for code of the deployed app whether it runs here or at another endpoint (docs/reference/protocol.md, Routing). */
export class PlaceCall {
  readonly #dependencies: PlaceCallDependencies;

  constructor(dependencies: PlaceCallDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * @param hasKey - the request came with a key of its own, so that the platform can be asked without the worker's.
   * @param onWarning - receives a line when the call has to run here for want of an address.
   * @throws InvalidRequestError for a name that the app does not have, or code that is neither here nor anywhere else.
   */
  async place(call: FunctionCall, onWarning: (line: string) => void, hasKey = false): Promise<CallPlace> {
    const { manifests, self } = this.#dependencies;
    const name = nameOf(call);
    const local = await manifests.read();
    const here = local && find(local, name);
    if (here !== undefined && (self === undefined || here.resourceName === self))
      return this.#here(name, here);
    // The function may be new, or have moved: only now the manifest's source is asked.
    const current = await manifests.current(onWarning);
    const known = current && find(current, name);
    if (current === undefined || known === undefined)
      throw unknown(name, current ?? local, this.#dependencies.manifestPlace);
    if (known.resourceName === self) return this.#here(name, known);
    const endpoint = this.#endpoint(current, known, hasKey);
    if (endpoint !== undefined) return { kind: 'elsewhere', endpoint };
    onWarning(`There is no address of ${known.resourceName}: running ${name} here`);
    return this.#here(name, known);
  }

  /** What the app lacks of a failed call's code. Asked after the failure only, as the module may also be one of an installed package. */
  missingModule({ module }: DeployedCode): string | undefined {
    return this.#dependencies.missingModule?.(module);
  }

  #here(name: string, { resourceName, entry }: Known): CallPlace {
    if (entry !== undefined) {
      return { kind: 'here', code: { module: entry.module, directory: this.#dependencies.directory } };
    }
    throw new InvalidRequestError(
      `the manifest says that "${name}" belongs to ${resourceName}, but not in which module it is: build the app again`,
    );
  }

  #endpoint(
    manifest: FlashManifest,
    { resourceName, resource, entry }: Known,
    hasKey: boolean,
  ): RemoteEndpoint | undefined {
    const url = own(manifest.resources_endpoints ?? {}, resourceName);
    const takesMethod = entry?.is_class ?? false;
    const { platform } = this.#dependencies;
    if (url === undefined) {
      if (platform === undefined || !(platform.hasKey || hasKey)) return undefined;
      const { app, environment } = platform;
      return { form: 'sentinel', resource: resourceName, app, environment, takesMethod };
    }
    if (resource?.is_load_balanced && entry?.http_path && entry.http_method) {
      return { form: 'route', resource: resourceName, url, method: entry.http_method, path: entry.http_path };
    }
    // Generated handlers came with v1.1, and plain JSON with them.
    if (resource?.handler_file) return { form: 'queue', resource: resourceName, url, takesMethod };
    return { form: 'function-request', resource: resourceName, url };
  }
}

function nameOf(call: FunctionCall): string {
  return call.kind === 'function' ? call.functionName : call.className;
}

function find(manifest: FlashManifest, name: string): Known | undefined {
  const registered = own(manifest.function_registry, name);
  for (const [resourceName, resource] of Object.entries(manifest.resources)) {
    const entry = resource.functions.find((candidate) => candidate.name === name);
    if (registered === undefined ? entry !== undefined : registered === resourceName) {
      return { resourceName, resource, entry };
    }
  }
  return registered === undefined
    ? undefined
    : { resourceName: registered, resource: undefined, entry: undefined };
}

/** Names come from requests: one such as `toString` must not be found on every object. */
function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function unknown(
  name: string,
  manifest: FlashManifest | undefined,
  manifestPlace: string | undefined,
): InvalidRequestError {
  const names = Object.keys(manifest?.function_registry ?? {});
  const has =
    manifest === undefined
      ? `this worker has no deployed app${manifestPlace === undefined ? '' : `: there is no ${manifestPlace}`}`
      : `the deployed app has: ${names.join(', ') || 'none'}`;
  return new InvalidRequestError(
    `"${name}" came without its code, and ${has.slice(0, 1000)}: send the code along, or deploy the app with it`,
  );
}
