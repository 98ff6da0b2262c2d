import { WorkerBusyError } from '@flash/worker-core';
import type { Interruption, Run } from './run.ts';

const left: Interruption = { end: 'cancelled', message: 'the request was cancelled while it waited' };

/** Runs that wait for a runner, first come first served. Bounded; a run whose caller gives up leaves by itself. */
export class RunQueue {
  readonly #most: number;
  #runs: Run[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  get length(): number {
    return this.#runs.length;
  }

  get first(): Run | undefined {
    return this.#runs[0];
  }

  /** @throws WorkerBusyError when the queue is full. */
  add(run: Run): void {
    if (this.#runs.length >= this.#most) {
      throw new WorkerBusyError(
        `${this.#most} requests are waiting for a Python process already; try again later, or raise FLASH_MAX_WAITING or FLASH_MAX_RUNNERS`,
      );
    }
    run.waitingSince = performance.now();
    this.#runs.push(run);
    const { signal } = run.options;
    if (signal === undefined) return;
    const leave = (): void => {
      const index = this.#runs.indexOf(run);
      if (index < 0) return;
      this.#runs.splice(index, 1);
      run.abandon(left);
    };
    signal.addEventListener('abort', leave, { once: true });
    const forget = (): void => signal.removeEventListener('abort', leave);
    run.outcome.then(forget, forget);
  }

  shift(): Run | undefined {
    return this.#runs.shift();
  }

  /** Empties the queue and returns the runs that waited in it. */
  takeAll(): readonly Run[] {
    const runs = this.#runs;
    this.#runs = [];
    return runs;
  }
}
