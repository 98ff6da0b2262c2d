/** How long a busy pool waits before it looks whether it needs another runner; most functions have returned by then. */
const lookAfterMs = 2;
/** A run that has waited this long gets another runner, also while other runs come and go. */
const longWaitMs = 20;

/** The state of the pool that decides whether it grows. */
export interface PoolLoad {
  readonly waiting: number;
  /** Since when the first run of the queue waits, on the clock of `performance.now()`. */
  readonly waitingSince: number | undefined;
  readonly idle: number;
  readonly starting: number;
  /** How many runners may still be forked. */
  readonly room: number;
}

/**
 * Decides when a pool forks runners: one for every run that waits and one to spare, as soon as runs are stuck. While runs come and go
 * quickly it does not: more processes would only get in each other's way, unless a run has waited for long.
 */
export class PoolGrowth {
  readonly #load: () => PoolLoad;
  readonly #fork: (count: number) => void;
  #timer: NodeJS.Timeout | undefined;
  #completed = 0;
  #completedBefore = 0;

  /** @param fork - gets the number of runners to fork; 0 when the pool is as large as it may be. */
  constructor(load: () => PoolLoad, fork: (count: number) => void) {
    this.#load = load;
    this.#fork = fork;
  }

  /** Called when a run has ended: runs come and go. */
  noteCompletion(): void {
    this.#completed++;
  }

  /** Called when every runner is busy: decides in a moment whether to fork. */
  consider(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#look();
    }, lookAfterMs);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #look(): void {
    const { waiting, waitingSince, idle, starting, room } = this.#load();
    if (waiting === 0 && idle > 0) return;
    const isFlowing = this.#completed > this.#completedBefore;
    this.#completedBefore = this.#completed;
    const isPatient = waitingSince === undefined || performance.now() - waitingSince < longWaitMs;
    if (isFlowing && isPatient) return this.consider();
    const wanted = isFlowing ? 1 : waiting + 1 - starting;
    this.#fork(Math.max(0, Math.min(wanted, room)));
    if (waiting > 0 && room > wanted) this.consider();
  }
}
