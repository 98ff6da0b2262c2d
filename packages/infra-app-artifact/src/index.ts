/** `@flash/infra-app-artifact`: the deployed app out of its artifact. */
export { appArtifactModule } from './module.ts';
export { type AppArtifactSettings, appArtifactSettingsSchema } from './settings.ts';
export { TarAppArtifact, type TarAppArtifactOptions } from './tar-app-artifact.ts';
