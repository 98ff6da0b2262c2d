import type { Metrics } from '@flash/worker-core';

/** When this process has reached what it does until it serves. */
export class StartPhases {
  readonly #metrics: Metrics;

  /** The code is loaded. */
  constructor(metrics: Metrics) {
    this.#metrics = metrics;
    this.reached('code');
  }

  reached(phase: 'code' | 'python' | 'app' | 'ready'): void {
    // Not `performance`: to load it takes 6 ms of the start.
    const seconds = process.uptime();
    this.#metrics.gauge('flash_start_seconds', () => seconds, [phase]);
  }
}
