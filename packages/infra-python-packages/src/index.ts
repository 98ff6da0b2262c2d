/** `@flash/infra-python-packages`: Python packages by uv and pip. */
export { environmentsModule } from './environments/module.ts';
export { UvEnvironments, type UvEnvironmentsOptions } from './environments/uv-environments.ts';
export { pythonPackagesModule } from './module.ts';
export { PythonPackageInstaller, type PythonPackageInstallerOptions } from './python-package-installer.ts';
export { type PythonPackagesSettings, pythonPackagesSettingsSchema } from './settings.ts';
