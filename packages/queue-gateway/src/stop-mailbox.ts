/** Most ids kept for a worker that does not ask. */
const mostIds = 1000;
/** Most workers with mail. */
const mostWorkers = 1000;

/** Ids of jobs that each worker is to stop, until the worker asks. */
export class StopMailbox {
  readonly #ids = new Map<string, string[]>();
  readonly #waiting = new Map<string, Set<() => void>>();

  put(workerId: string, jobId: string): void {
    const ids = this.#ids.get(workerId) ?? [];
    ids.push(jobId);
    if (ids.length > mostIds) ids.shift();
    this.#ids.set(workerId, ids);
    if (this.#ids.size > mostWorkers) this.#ids.delete(this.#ids.keys().next().value as string);
    for (const wake of this.#waiting.get(workerId) ?? []) wake();
  }

  /** Takes what is there; waits for something until the signal aborts. */
  async take(workerId: string, signal: AbortSignal): Promise<readonly string[]> {
    if (!this.#ids.has(workerId) && !signal.aborted) await this.#wait(workerId, signal);
    // Who has gone meanwhile takes nothing: the next call gets it.
    if (signal.aborted) return [];
    const ids = this.#ids.get(workerId) ?? [];
    this.#ids.delete(workerId);
    return ids;
  }

  async #wait(workerId: string, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = this.#waiting.get(workerId) ?? new Set();
    this.#waiting.set(workerId, waiting.add(resolve));
    signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    waiting.delete(resolve);
    if (waiting.size === 0) this.#waiting.delete(workerId);
  }
}
