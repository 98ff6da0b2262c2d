import { CoalescingInstaller, ports } from '@flash/worker-core';
import { ContainerModule } from 'inversify';
import { SystemPackageInstaller, type SystemPackageInstallerOptions } from './system-package-installer.ts';

/** Binds the installer of system packages. */
export function systemPackagesModule(options: SystemPackageInstallerOptions): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(ports.SystemInstaller)
      .toResolvedValue(() => new CoalescingInstaller(new SystemPackageInstaller(options)))
      .inSingletonScope();
  });
}
