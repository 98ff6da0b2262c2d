import { CoalescingInstaller, type Log, ports } from '@flash/worker-core';
import { ContainerModule } from 'inversify';
import { SystemPackageInstaller, type SystemPackageInstallerOptions } from './system-package-installer.ts';

/** Binds the installer of system packages. */
export function systemPackagesModule(options: Omit<SystemPackageInstallerOptions, 'log'>): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(ports.SystemInstaller)
      .toResolvedValue(
        (log: Log) => new CoalescingInstaller(new SystemPackageInstaller({ ...options, log })),
        [ports.Log],
      )
      .inSingletonScope();
  });
}
