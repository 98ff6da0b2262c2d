import type { PackageSpecifier } from './package-specifier.ts';

/** What apt-get would do, as it says with `--simulate`. */
export class AptPlan {
  /** Versions that packages would get, by name. */
  readonly #installs = new Map<string, string>();
  readonly #removals = new Set<string>();

  /** Takes a line of what `apt-get --simulate install` prints. */
  read(line: string): void {
    const removed = /^Remv (\S+)/.exec(line)?.[1];
    if (removed !== undefined) this.#removals.add(removed);
    const [, name, version] = /^Inst (\S+) (?:\[[^\]]*\] )?\((\S+)/.exec(line) ?? [];
    if (name !== undefined && version !== undefined) this.#installs.set(name, version);
  }

  /** What the plan does to an installed package so that it is not as it was asked for; `undefined`: nothing. */
  contradiction({ name, architecture, version }: PackageSpecifier): string | undefined {
    for (const planned of architecture === undefined ? [name] : [name, `${name}:${architecture}`]) {
      if (this.#removals.has(planned)) return 'would be removed';
      const next = this.#installs.get(planned);
      if (next !== undefined && version !== undefined && next !== version)
        return `would be replaced by ${next}`;
    }
    return undefined;
  }
}
