import type { JobRecord } from './job-record.ts';

export interface JobHistoryOptions {
  /** Most ended jobs that are remembered. */
  readonly maxHistory: number;
  /** Most bytes of ended jobs that are remembered, over all of them. */
  readonly maxHistoryBytes: number;
  readonly onForgotten: (record: JobRecord) => void;
}

/** Ended jobs, up to bounds of number and size; the oldest is forgotten first. */
export class JobHistory {
  readonly #options: JobHistoryOptions;
  readonly #records: JobRecord[] = [];
  #bytes = 0;

  constructor(options: JobHistoryOptions) {
    this.#options = options;
  }

  add(record: JobRecord): void {
    const { maxHistory, maxHistoryBytes, onForgotten } = this.#options;
    this.#records.push(record);
    this.#bytes += sizeOf(record);
    while (this.#records.length > maxHistory || (this.#bytes > maxHistoryBytes && this.#records.length > 1)) {
      const oldest = this.#records.shift() as JobRecord;
      this.#bytes -= sizeOf(oldest);
      onForgotten(oldest);
    }
  }
}

/** Chunks are not counted: they go when the client fetches them, and have a bound of their own. */
function sizeOf({ bytes, outputJson, logBytes }: JobRecord): number {
  return bytes.length + (outputJson?.length ?? 0) + logBytes;
}
