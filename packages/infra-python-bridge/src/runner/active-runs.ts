import type { ResultFrame } from '../protocol/result-frame.ts';
import type { Run } from '../run/run.ts';
import type { ChunkRelay } from './chunk-relay.ts';

/** A run that a runner's process is at work on. */
export interface ActiveRun {
  /** The number of its request on the runner's connection. */
  readonly id: number;
  readonly run: Run;
  /** Disarms the run's time-out and its caller's signal. */
  readonly release: () => void;
  /** The run's answer, when it has come before the last of the run's output. */
  result: ResultFrame | undefined;
  /** What a generator handler has yielded so far, on its way. */
  chunks?: ChunkRelay;
}

/**
 * The runs at work in one runner, by the numbers of their requests, in the order in which they began. Mostly there is one.
 *
 * Not a Map: one that lives long makes its tables anew where only the slow collection of old objects finds them, every few requests.
 */
export class ActiveRuns<T extends { readonly id: number } = ActiveRun> {
  readonly #runs: T[] = [];

  get size(): number {
    return this.#runs.length;
  }

  get first(): T | undefined {
    return this.#runs[0];
  }

  get(id: number): T | undefined {
    for (const run of this.#runs) if (run.id === id) return run;
    return undefined;
  }

  has(id: number): boolean {
    return this.get(id) !== undefined;
  }

  values(): readonly T[] {
    return this.#runs;
  }

  add(run: T): void {
    this.#runs.push(run);
  }

  remove({ id }: T): void {
    const index = this.#runs.findIndex((run) => run.id === id);
    if (index < 0) return;
    this.#runs.copyWithin(index, index + 1);
    this.#runs.pop();
  }

  clear(): void {
    this.#runs.length = 0;
  }
}
