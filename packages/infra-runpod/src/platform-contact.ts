import { setTimeout as delay } from 'node:timers/promises';

/** Knows when the platform has answered, and cuts the pauses short in which calls wait for it to be back. */
export class PlatformContact {
  readonly #waiting = new Set<() => void>();
  #successes = 0;

  /** A call has succeeded, whichever it was. */
  noteSuccess(): void {
    this.#successes++;
    for (const wake of this.#waiting) wake();
  }

  /**
   * Pauses before another attempt.
   *
   * @param leastMs - what the pause lasts in any case.
   * @returns whether it was cut short because another call has succeeded. Rejects with the signal's reason when aborted.
   */
  async pause(pauseMs: number, leastMs: number, signal?: AbortSignal): Promise<boolean> {
    const before = this.#successes;
    await delay(leastMs, undefined, { signal });
    if (this.#successes > before) return true;
    const woken = Promise.withResolvers<true>();
    const over = new AbortController();
    const wake = (): void => woken.resolve(true);
    this.#waiting.add(wake);
    try {
      const ends = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
      return await Promise.race([woken.promise, delay(pauseMs - leastMs, false, { signal: ends })]);
    } finally {
      this.#waiting.delete(wake);
      over.abort();
    }
  }
}
