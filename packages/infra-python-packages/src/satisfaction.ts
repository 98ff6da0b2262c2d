import { satisfies } from '@renovatebot/pep440';
import type { Distribution, InstalledDistributions } from './installed-distributions.ts';
import { type Pep508Variables, pep508MarkerHolds } from './pep508-marker.ts';
import { normalizeName, parseRequirement, type Requirement, sourceOf } from './requirement.ts';

/** Tells whether requirements are met by what is installed, their own requirements included. To be made anew after one that is not met. */
export class Satisfaction {
  readonly #installed: ReadonlyMap<string, Distribution>;
  readonly #distributions: InstalledDistributions;
  readonly #pep508Variables: Pep508Variables;
  /** Distributions with extras that are being looked at, or were: requirements may form a circle. What was found unmet counts as met afterwards. */
  readonly #visited = new Set<string>();

  constructor(
    installed: ReadonlyMap<string, Distribution>,
    distributions: InstalledDistributions,
    pep508Variables: Pep508Variables,
  ) {
    this.#installed = installed;
    this.#distributions = distributions;
    this.#pep508Variables = pep508Variables;
  }

  async isMet(requirement: Requirement, extra = ''): Promise<boolean> {
    if (requirement.type === 'BareURL') return this.#isInstalledFrom(requirement.url);
    if (!pep508MarkerHolds(requirement.environmentMarkerTree, this.#pep508Variables, extra)) return true;
    const distribution = this.#installed.get(normalizeName(requirement.name));
    if (distribution === undefined) return false;
    if (requirement.type === 'ProjectURL') {
      const { sourceUrl } = await this.#distributions.metadata(distribution);
      if (sourceUrl !== sourceOf(requirement.url)) return false;
    } else if (!meetsVersion(distribution.version, requirement.versionSpec)) {
      return false;
    }
    return this.#requirementsMet(distribution, requirement.extras ?? []);
  }

  /**
   * What a requirement is handed to a tool as. One by its URL that is met goes as the version that is installed, so that it is neither
   * fetched nor built anew.
   *
   * @returns `undefined` when its marker says that it is not for this interpreter.
   */
  async handedOver(specifier: string): Promise<string | undefined> {
    const requirement = parseRequirement(specifier);
    if (requirement.type === 'BareURL') {
      const distribution = await this.#installedFrom(requirement.url);
      return distribution === undefined ? specifier : `${distribution.name}==${distribution.version}`;
    }
    if (!pep508MarkerHolds(requirement.environmentMarkerTree, this.#pep508Variables)) return undefined;
    if (requirement.type === 'ProjectName') return specifier;
    const distribution = this.#installed.get(normalizeName(requirement.name));
    if (distribution === undefined || !(await this.isMet(requirement))) return specifier;
    const extras = requirement.extras?.length ? `[${requirement.extras.join(',')}]` : '';
    return `${distribution.name}${extras}==${distribution.version}`;
  }

  async #requirementsMet(distribution: Distribution, extras: readonly string[]): Promise<boolean> {
    const wanted = ['', ...extras.map(normalizeName)].filter((extra) => {
      const key = `${distribution.name}[${extra}]`;
      return !this.#visited.has(key) && this.#visited.add(key);
    });
    if (wanted.length === 0) return true;
    const { requires } = await this.#distributions.metadata(distribution);
    for (const line of requires) {
      const requirement = readRequires(line);
      // A line this worker can't read is left to the installer, which has installed the distribution with it.
      if (requirement === undefined) continue;
      for (const extra of wanted) {
        if (extra === '' && requirement.type !== 'BareURL' && isExtraOnly(line)) continue;
        if (!(await this.isMet(requirement, extra))) return false;
      }
    }
    return true;
  }

  async #isInstalledFrom(url: string): Promise<boolean> {
    const distribution = await this.#installedFrom(url);
    return distribution !== undefined && this.#requirementsMet(distribution, []);
  }

  async #installedFrom(url: string): Promise<Distribution | undefined> {
    for (const distribution of this.#installed.values()) {
      const { sourceUrl } = await this.#distributions.metadata(distribution);
      if (sourceUrl === sourceOf(url)) return distribution;
    }
    return undefined;
  }
}

function readRequires(line: string): Requirement | undefined {
  try {
    return parseRequirement(line);
  } catch {
    return undefined;
  }
}

function isExtraOnly(line: string): boolean {
  return /;.*\bextra\s*==/.test(line) && !/;.*\bor\b/.test(line);
}

function meetsVersion(
  version: string,
  specs: readonly { operator: string; version: string }[] | undefined,
): boolean {
  if (specs === undefined || specs.length === 0) return true;
  // A version that is installed satisfies as it is: pip and uv don't replace an installed pre-release either.
  return satisfies(version, specs.map((spec) => `${spec.operator}${spec.version}`).join(','), {
    prereleases: true,
  });
}
