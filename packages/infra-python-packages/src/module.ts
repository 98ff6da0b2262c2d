import { CoalescingInstaller, ports } from '@flash/worker-core';
import { ContainerModule } from 'inversify';
import { PythonPackageInstaller, type PythonPackageInstallerOptions } from './python-package-installer.ts';

/** Binds the installer of Python packages. */
export function pythonPackagesModule(options: PythonPackageInstallerOptions): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(ports.PythonInstaller)
      .toResolvedValue(() => new CoalescingInstaller(new PythonPackageInstaller(options)))
      .inSingletonScope();
  });
}
