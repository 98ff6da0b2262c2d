/** `@flash/infra-python-packages/adapters`: the adapters themselves, for hosts that do without a container. */
export { UvEnvironments, type UvEnvironmentsOptions } from './environments/uv-environments.ts';
export { PythonPackageInstaller, type PythonPackageInstallerOptions } from './python-package-installer.ts';
