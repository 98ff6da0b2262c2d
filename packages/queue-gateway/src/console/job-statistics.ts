import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { Statistics } from './overview.ts';

const stretchMs = 20_000;
const stretches = 180;
/** A time beyond is counted as this one. */
const longestMs = 86_400_000;

interface Stretch {
  readonly number: number;
  completed: number;
  failed: number;
  readonly times: RecordableHistogram;
}

/** A job that has ended. */
export interface EndedJob {
  readonly createdAt: number;
  readonly endedAt: number;
  readonly isCompleted: boolean;
}

/** How many jobs ended when in the last hour, and how long they took. */
export class JobStatistics {
  /** Stretches of time in which a job ended, oldest first. */
  readonly #stretches: Stretch[] = [];

  note({ createdAt, endedAt, isCompleted }: EndedJob): void {
    const stretch = this.#at(Math.floor(endedAt / stretchMs));
    if (isCompleted) stretch.completed++;
    else stretch.failed++;
    // A histogram has no zero.
    stretch.times.record(Math.min(Math.max(1, Math.round(endedAt - createdAt)), longestMs));
  }

  /** @param now - on the clock of `Date.now()`. */
  read(now: number): Statistics {
    const last = Math.floor(now / stretchMs);
    this.#forget(last);
    const byNumber = new Map(this.#stretches.map((stretch) => [stretch.number, stretch]));
    const points = Array.from({ length: stretches }, (_, index) => {
      const number = last - stretches + 1 + index;
      const stretch = byNumber.get(number);
      return {
        at: number * stretchMs,
        completed: stretch?.completed ?? 0,
        failed: stretch?.failed ?? 0,
        medianMs: stretch?.times.percentile(50),
        p95Ms: stretch?.times.percentile(95),
      };
    });
    return { stretchMs, points };
  }

  /** A clock that was set back counts in the last stretch there is. */
  #at(number: number): Stretch {
    const last = this.#stretches.at(-1);
    if (last !== undefined && last.number >= number) return last;
    this.#forget(number);
    const times = createHistogram({ lowest: 1, highest: longestMs, figures: 2 });
    const stretch = { number, completed: 0, failed: 0, times };
    this.#stretches.push(stretch);
    return stretch;
  }

  #forget(last: number): void {
    while ((this.#stretches[0]?.number ?? last) <= last - stretches) this.#stretches.shift();
  }
}
