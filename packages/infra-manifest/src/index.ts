/** `@flash/infra-manifest`: the ManifestStore port on a file and the State Manager. */
export { manifestModule } from './module.ts';
export { type ManifestSettings, manifestSettingsSchema } from './settings.ts';
export {
  StateManagerManifestStore,
  type StateManagerManifestStoreOptions,
} from './state-manager-manifest-store.ts';
