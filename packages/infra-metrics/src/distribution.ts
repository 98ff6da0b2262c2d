/** Upper bounds of the buckets, in seconds: from a warm function to an installation. */
export const bounds: readonly number[] = [
  ...[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5],
  ...[1, 2.5, 5, 10, 30, 60, 300, 1800],
];

/** How often something took how long. */
export class Distribution {
  /** A count for each bound, and one for values beyond the last. */
  readonly #counts = new Array<number>(bounds.length + 1).fill(0);
  #sum = 0;

  add(seconds: number): void {
    let bucket = 0;
    while (bucket < bounds.length && seconds > (bounds[bucket] as number)) bucket++;
    (this.#counts[bucket] as number)++;
    this.#sum += seconds;
  }

  /** Seconds in all. */
  get sum(): number {
    return this.#sum;
  }

  get count(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** For each bound how many were not above it. */
  get cumulative(): readonly number[] {
    let sum = 0;
    return bounds.map((_, index) => {
      sum += this.#counts[index] as number;
      return sum;
    });
  }
}
