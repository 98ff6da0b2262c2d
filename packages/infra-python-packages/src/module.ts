import { CoalescingInstaller, type Installer, ports } from '@flash/worker-core';
import { ContainerModule } from 'inversify';
import type { PythonPackageInstallerOptions } from './python-package-installer.ts';
import { whenNeeded } from './when-needed.ts';

/** Binds the installer of Python packages. Its grammar of requirements takes longer to load than a server: the first request that needs it does. */
export function pythonPackagesModule(options: PythonPackageInstallerOptions): ContainerModule {
  const installer = whenNeeded(async () => {
    const { PythonPackageInstaller } = await import('./python-package-installer.ts');
    return new PythonPackageInstaller(options);
  });
  const deferred: Installer = {
    missing: async (packages) => (await installer()).missing(packages),
    install: async (packages, given) => (await installer()).install(packages, given),
  };
  return new ContainerModule(({ bind }) => {
    bind(ports.PythonInstaller).toConstantValue(new CoalescingInstaller(deferred));
  });
}
