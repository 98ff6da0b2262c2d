import { InstallError } from '../errors/install-error.ts';
import type { InstalledChange, Installer, InstallOptions } from '../ports/installer.ts';

/** Installer of imaginary packages. A name that begins with "-" is refused, one in `unknown` does not exist. */
export class FakeInstaller implements Installer {
  /** Names that are installed. */
  readonly installed: Set<string>;
  /** Names that can't be found. */
  readonly unknown = new Set<string>();
  /** Every call of {@link install}. */
  readonly calls: { readonly packages: readonly string[]; readonly accelerate: boolean }[] = [];
  /** Awaited by each installation; replace it to make one last, or fail. */
  work: (packages: readonly string[], options: InstallOptions) => Promise<void> = async () => {};

  constructor(installed: Iterable<string> = []) {
    this.installed = new Set(installed);
  }

  async missing(packages: readonly string[]): Promise<readonly string[]> {
    for (const name of packages) {
      if (name.startsWith('-')) throw new InstallError('INVALID_SPECIFIER', [name], `${name} is refused`);
    }
    return packages.filter((name) => !this.installed.has(name));
  }

  async install(packages: readonly string[], options: InstallOptions): Promise<readonly InstalledChange[]> {
    this.calls.push({ packages, accelerate: options.accelerate });
    if (options.signal?.aborted) throw new InstallError('CANCELLED', packages, 'cancelled');
    await this.work(packages, options);
    const unknown = packages.find((name) => this.unknown.has(name));
    if (unknown !== undefined) throw new InstallError('NOT_FOUND', packages, `${unknown} was not found`);
    for (const name of packages) {
      options.onLine?.(`installed ${name}`);
      this.installed.add(name);
    }
    return packages.map((name) => ({ name, version: '1', previousVersion: undefined, replacedModules: [] }));
  }
}
