/** Python packages that were replaced since a runner last looked. */
export interface PackageEpoch {
  readonly number: number;
  /** Top-level module names, by the epoch in which each was replaced. */
  readonly replacedSince: (epoch: number) => readonly string[];
}

/** Remembers which modules were replaced when, for runners that come back from work later. */
export class PackageEpochs implements PackageEpoch {
  /** The modules that each epoch has replaced; the index is the epoch minus one. */
  readonly #replaced: (readonly string[])[] = [];

  /** The current epoch, which grows with every installation. */
  get number(): number {
    return this.#replaced.length;
  }

  advance(replacedModules: readonly string[]): void {
    this.#replaced.push(replacedModules);
  }

  readonly replacedSince = (epoch: number): readonly string[] => [
    ...new Set(this.#replaced.slice(epoch).flat()),
  ];
}
