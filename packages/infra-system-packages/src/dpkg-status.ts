import { readFile, stat } from 'node:fs/promises';
import type { PackageSpecifier } from './package-specifier.ts';

interface InstalledPackage {
  readonly version: string | undefined;
  readonly architecture: string | undefined;
}

/** What dpkg has installed, from its status file; read again only when the file has changed. */
export class DpkgStatus {
  readonly #path: string;
  #mtimeMs = -1;
  #packages: ReadonlyMap<string, readonly InstalledPackage[]> = new Map();

  constructor(path: string) {
    this.#path = path;
  }

  async isInstalled({ name, architecture, version }: PackageSpecifier): Promise<boolean> {
    await this.#refresh();
    return (this.#packages.get(name) ?? []).some(
      (installed) =>
        (version === undefined || installed.version === version) &&
        (architecture === undefined ||
          installed.architecture === architecture ||
          installed.architecture === 'all'),
    );
  }

  async #refresh(): Promise<void> {
    const { mtimeMs } = await stat(this.#path).catch(() => ({ mtimeMs: -2 }));
    if (mtimeMs === this.#mtimeMs) return;
    this.#packages = parseStatus(await readFile(this.#path, 'utf8').catch(() => ''));
    this.#mtimeMs = mtimeMs;
  }
}

function parseStatus(text: string): ReadonlyMap<string, readonly InstalledPackage[]> {
  const packages = new Map<string, InstalledPackage[]>();
  const add = (name: string, installed: InstalledPackage): void => {
    const known = packages.get(name);
    if (known === undefined) packages.set(name, [installed]);
    else known.push(installed);
  };
  for (const stanza of text.split('\n\n')) {
    if (!/^Status: .* installed$/m.test(stanza)) continue;
    const name = field(stanza, 'Package');
    if (name === undefined) continue;
    const architecture = field(stanza, 'Architecture');
    add(name, { version: field(stanza, 'Version'), architecture });
    for (const provided of (field(stanza, 'Provides') ?? '').split(',')) {
      const match = /^\s*([^\s(:]+)(?::\S+)?(?:\s*\(=\s*([^)\s]+)\s*\))?/.exec(provided);
      if (match?.[1]) add(match[1], { version: match[2], architecture });
    }
  }
  return packages;
}

function field(stanza: string, name: string): string | undefined {
  return new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1];
}
