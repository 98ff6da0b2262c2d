import type { InstalledChange } from '@flash/worker-core';
import type { Distribution, InstalledDistributions } from './installed-distributions.ts';

/** An installed distribution with its top-level import names. */
export interface DescribedDistribution {
  readonly distribution: Distribution;
  readonly modules: readonly string[];
}

/** What is installed, by name. Import names are read while the old files are still there. */
export async function describeInstalled(
  distributions: InstalledDistributions,
  directories: readonly string[],
): Promise<ReadonlyMap<string, DescribedDistribution>> {
  const installed = await distributions.read(directories);
  const described = await Promise.all(
    [...installed].map(
      async ([name, distribution]): Promise<[string, DescribedDistribution]> => [
        name,
        { distribution, modules: await distributions.topLevelModules(distribution) },
      ],
    ),
  );
  return new Map(described);
}

/** The packages that an installation added, replaced or removed. */
export function changesBetween(
  before: ReadonlyMap<string, DescribedDistribution>,
  after: ReadonlyMap<string, Distribution>,
): readonly InstalledChange[] {
  const changes: InstalledChange[] = [];
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(name), after.get(name)];
    if (was?.distribution.version === is?.version) continue;
    changes.push({
      name,
      version: is?.version,
      previousVersion: was?.distribution.version,
      replacedModules: was?.modules ?? [],
    });
  }
  return changes;
}
