/** `@flash/infra-system-packages`: Debian packages by apt-get and nala. */
export { systemPackagesModule } from './module.ts';
export { type SystemPackagesSettings, systemPackagesSettingsSchema } from './settings.ts';
export { SystemPackageInstaller, type SystemPackageInstallerOptions } from './system-package-installer.ts';
