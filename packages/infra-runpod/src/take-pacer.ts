import { setTimeout as delay } from 'node:timers/promises';

/**
 * Keeps a queue that answers "nothing" at once from being asked in a busy loop. A queue that holds the call open, or that gives jobs,
 * is asked again without any pause.
 */
export class TakePacer {
  readonly #intervalMs: number;
  #next = 0;
  #isIdle = false;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** Resolves when the next call may start. */
  async turn(signal: AbortSignal): Promise<void> {
    if (!this.#isIdle) return;
    const start = Math.max(performance.now(), this.#next);
    this.#next = start + this.#intervalMs;
    const waitMs = start - performance.now();
    if (waitMs > 0) await delay(waitMs, undefined, { signal });
  }

  /** Notes how a call that started at `startedAt` (on the clock of `performance.now()`) has ended. */
  note(startedAt: number, broughtSomething: boolean): void {
    this.#isIdle = !broughtSomething && performance.now() - startedAt < this.#intervalMs;
    if (this.#isIdle) this.#next = Math.max(this.#next, startedAt + this.#intervalMs);
  }
}
