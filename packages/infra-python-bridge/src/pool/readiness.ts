import { WorkerStartError } from '@flash/worker-core';

/** Runners that die before they are ready, one after the other, until what waits is told why. */
const mostFailedStarts = 3;

/** The callers that wait for a runner to be ready: for any at all, or for one that takes the place of all others. */
export class Readiness {
  #first: PromiseWithResolvers<void> | undefined;
  #renewal: PromiseWithResolvers<void> | undefined;
  #failedStarts = 0;

  /** Resolves when some runner is ready, rejects when none can be had. */
  forFirst(): Promise<void> {
    this.#first ??= Promise.withResolvers();
    return this.#first.promise;
  }

  /** Resolves when the next runner is ready, which takes the place of the others. */
  forRenewal(): Promise<void> {
    this.#renewal ??= Promise.withResolvers();
    return this.#renewal.promise;
  }

  /** A runner is ready. `takeOver` is called when it is to take the place of the others. */
  onReady(takeOver: () => void): void {
    this.#failedStarts = 0;
    this.#first?.resolve();
    this.#first = undefined;
    if (this.#renewal === undefined) return;
    takeOver();
    this.#renewal.resolve();
    this.#renewal = undefined;
  }

  /** A runner ended before it was ready. @returns the error for the runs that wait, when that was one too many. */
  onFailedStart(reason: string): WorkerStartError | undefined {
    if (++this.#failedStarts < mostFailedStarts) return undefined;
    this.#failedStarts = 0;
    return new WorkerStartError(`no Python process could be started: ${reason}`);
  }

  /** No runner will be ready. */
  reject(error: Error): void {
    this.#first?.reject(error);
    this.#first = undefined;
  }

  close(): void {
    this.#renewal?.resolve();
    this.#first?.resolve();
  }
}
