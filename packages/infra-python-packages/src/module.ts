import { CoalescingInstaller, type Installer, type Log, ports } from '@flash/worker-core';
import { ContainerModule } from 'inversify';
import type { PythonPackageInstallerOptions } from './python-package-installer.ts';
import { whenNeeded } from './when-needed.ts';

/** Binds the installer of Python packages. Its grammar of requirements takes longer to load than a server: the first request that needs it does. */
export function pythonPackagesModule(options: Omit<PythonPackageInstallerOptions, 'log'>): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(ports.PythonInstaller)
      .toResolvedValue((log: Log) => new CoalescingInstaller(deferred({ ...options, log })), [ports.Log])
      .inSingletonScope();
  });
}

function deferred(options: PythonPackageInstallerOptions): Installer {
  const installer = whenNeeded(async () => {
    const { PythonPackageInstaller } = await import('./python-package-installer.ts');
    return new PythonPackageInstaller(options);
  });
  return {
    missing: async (packages) => (await installer()).missing(packages),
    install: async (packages, given) => (await installer()).install(packages, given),
    promise: (packages) => {
      if (packages.length === 0) return;
      const promised = installer().then((loaded) => loaded.promise(packages));
      // A requirement that can't be parsed, and an adapter that can't be loaded, have failed in `missing` before.
      promised.catch(() => {});
    },
  };
}
