/** `@flash/infra-python-packages`: Python packages by uv and pip. */
export { environmentsModule } from './environments/module.ts';
export { pythonPackagesModule } from './module.ts';
export { type PythonPackagesSettings, pythonPackagesSettingsSchema } from './settings.ts';
