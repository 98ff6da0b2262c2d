/** A pool that has runners, and may give some up. */
export interface RunnerHolder {
  /** How many runners the pool has, those that are about to be forked included. */
  readonly held: number;
  /** Ends up to so many runners that do nothing and keep nothing. @returns how many. */
  giveUp(count: number): number;
  /** Some other pool has fewer runners than before. */
  roomCame(): void;
}

/** How many runners all pools may have together. Each pool may have one, so that no environment waits for another to end. */
export class RunnerBudget {
  readonly #most: number;
  readonly #holders = new Set<RunnerHolder>();

  constructor(most: number) {
    this.#most = most;
  }

  add(holder: RunnerHolder): void {
    this.#holders.add(holder);
  }

  remove(holder: RunnerHolder): void {
    this.#holders.delete(holder);
  }

  /** How many runners a pool may still fork. */
  roomFor(holder: RunnerHolder): number {
    let held = 0;
    for (const { held: count } of this.#holders) held += count;
    return Math.max(this.#most - held, holder.held === 0 ? 1 : 0);
  }

  /** A runner of this pool has ended. */
  gone(holder: RunnerHolder): void {
    for (const other of this.#holders) if (other !== holder) other.roomCame();
  }

  /** Has other pools end runners that they have to spare. Room is there when they have ended. */
  makeRoomFor(holder: RunnerHolder, wanted: number): void {
    let missing = wanted;
    for (const other of this.#holders) {
      if (missing <= 0) return;
      if (other !== holder) missing -= other.giveUp(missing);
    }
  }
}
