import { InstallError } from '../errors/install-error.ts';
import type { InstalledChange, Installer, InstallOptions } from '../ports/installer.ts';

/**
 * Installer of imaginary packages. A name that begins with "-" is refused, one in `unknown` does not exist, and "name=1" contradicts
 * "name=2".
 */
export class FakeInstaller implements Installer {
  /** Names that are installed. */
  readonly installed: Set<string>;
  /** Names that can't be found. */
  readonly unknown = new Set<string>();
  /** Every call of {@link install}. */
  readonly calls: { readonly packages: readonly string[]; readonly accelerate: boolean }[] = [];
  /** Packages that requests were promised. */
  readonly promised = new Set<string>();
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
    const [one, other] = contradiction([...packages, ...this.promised]) ?? [];
    if (one !== undefined) throw new InstallError('CONFLICT', packages, `${one} contradicts ${other}`);
    await this.work(packages, options);
    const unknown = packages.find((name) => this.unknown.has(name));
    if (unknown !== undefined) throw new InstallError('NOT_FOUND', packages, `${unknown} was not found`);
    this.promise(packages);
    const added = packages.filter((name) => !this.installed.has(name));
    for (const name of added) {
      options.onLine?.(`installed ${name}`);
      this.installed.add(name);
    }
    return added.map((name) => ({ name, version: '1', previousVersion: undefined, replacedModules: [] }));
  }

  promise(packages: readonly string[]): void {
    for (const name of packages) this.promised.add(name);
  }
}

/** Two versions of one package, as "name=1" and "name=2". */
function contradiction(packages: readonly string[]): readonly [string, string] | undefined {
  const versions = new Map<string, string>();
  for (const specifier of packages) {
    const [name = '', version] = specifier.split('=');
    const known = versions.get(name) ?? specifier;
    if (version !== undefined && known !== specifier) return [known, specifier];
    if (version !== undefined) versions.set(name, specifier);
  }
  return undefined;
}
