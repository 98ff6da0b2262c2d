import { randomUUID } from 'node:crypto';
import type { JobOutcome } from '@flash/worker-core';
import { isFinal, type JobOptions, type JobRecord, type JobStatus } from './job-record.ts';
import type { JobCounts, JobStore, Lease } from './job-store.ts';
import { QueueFullError } from './queue-full-error.ts';

export interface InMemoryJobStoreOptions {
  /** Most jobs that wait. */
  readonly maxQueued: number;
  /** Most ended jobs that are remembered. */
  readonly maxHistory: number;
  /** Most bytes of results that are remembered, over all jobs. */
  readonly maxHistoryBytes: number;
  /** Most log text kept of one job. */
  readonly maxLogBytes: number;
  /** Called once for every job that ends. Must not throw. */
  readonly onEnd?: (record: JobRecord) => void;
}

interface Entry {
  readonly record: JobRecord;
  readonly ended: PromiseWithResolvers<void>;
  readonly stop: AbortController;
  readonly timers: NodeJS.Timeout[];
}

interface Taker {
  readonly give: (lease: Lease) => void;
}

/** JobStore in this process's memory: for development, tests and one machine. */
export class InMemoryJobStore implements JobStore {
  readonly #options: InMemoryJobStoreOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #queue: Entry[] = [];
  readonly #takers: Taker[] = [];
  /** Ended jobs, oldest first. */
  readonly #history: Entry[] = [];
  #historyBytes = 0;

  constructor(options: InMemoryJobStoreOptions) {
    this.#options = options;
  }

  async submit(endpoint: string, bytes: Uint8Array, options: JobOptions): Promise<JobRecord> {
    if (this.#queue.length >= this.#options.maxQueued) {
      throw new QueueFullError(`${this.#options.maxQueued} jobs are waiting already; try again later`);
    }
    const entry = newEntry(endpoint, bytes, options);
    this.#entries.set(entry.record.id, entry);
    this.#queue.push(entry);
    this.#endAfter(entry, options.ttlMs, 'the job was not finished within its policy.ttl');
    this.#serveTakers();
    return entry.record;
  }

  async find(endpoint: string, id: string): Promise<JobRecord | undefined> {
    const record = this.#entries.get(id)?.record;
    return record?.endpoint === endpoint ? record : undefined;
  }

  async waitForEnd(record: JobRecord, timeoutMs: number, signal?: AbortSignal): Promise<void> {
    const entry = this.#entries.get(record.id);
    if (entry === undefined || isFinal(record.status)) return;
    const over = Promise.withResolvers<void>();
    const timer = setTimeout(over.resolve, timeoutMs);
    const leave = (): void => over.resolve();
    signal?.addEventListener('abort', leave, { once: true });
    await Promise.race([entry.ended.promise, over.promise]);
    clearTimeout(timer);
    signal?.removeEventListener('abort', leave);
  }

  take(signal: AbortSignal): Promise<Lease> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const taker: Taker = {
        give: (lease) => {
          signal.removeEventListener('abort', leave);
          resolve(lease);
        },
      };
      const leave = (): void => {
        this.#takers.splice(this.#takers.indexOf(taker), 1);
        reject(signal.reason);
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#takers.push(taker);
      this.#serveTakers();
    });
  }

  appendLog(id: string, text: string): void {
    const record = this.#entries.get(id)?.record;
    if (record === undefined || isFinal(record.status) || record.logBytes > this.#options.maxLogBytes) return;
    record.logBytes += text.length;
    record.log.push(
      record.logBytes > this.#options.maxLogBytes ? '\n[… further log of this job is not kept …]\n' : text,
    );
  }

  async finish(id: string, { outputJson, error }: JobOutcome): Promise<void> {
    const entry = this.#entries.get(id);
    if (entry === undefined || isFinal(entry.record.status)) return;
    entry.record.outputJson = outputJson;
    this.#end(entry, error === undefined ? 'COMPLETED' : 'FAILED', error);
  }

  async cancel(record: JobRecord): Promise<void> {
    const entry = this.#entries.get(record.id);
    if (entry === undefined || isFinal(record.status)) return;
    this.#end(entry, 'CANCELLED', undefined);
  }

  async purge(endpoint: string): Promise<number> {
    const waiting = this.#queue.filter((entry) => entry.record.endpoint === endpoint);
    for (const entry of waiting) this.#end(entry, 'CANCELLED', undefined);
    return waiting.length;
  }

  async count(endpoint: string): Promise<JobCounts> {
    const statuses = [...this.#entries.values()]
      .filter((entry) => entry.record.endpoint === endpoint)
      .map((entry) => entry.record.status);
    const number = (...wanted: JobStatus[]): number =>
      statuses.filter((status) => wanted.includes(status)).length;
    return {
      completed: number('COMPLETED'),
      failed: number('FAILED', 'TIMED_OUT', 'CANCELLED'),
      inProgress: number('IN_PROGRESS'),
      inQueue: number('IN_QUEUE'),
      retried: 0,
    };
  }

  async close(): Promise<void> {
    for (const entry of this.#entries.values())
      if (!isFinal(entry.record.status)) this.#end(entry, 'CANCELLED', undefined);
  }

  #serveTakers(): void {
    while (this.#takers.length > 0) {
      const entry = this.#queue.shift();
      if (entry === undefined) return;
      entry.record.status = 'IN_PROGRESS';
      entry.record.startedAt = Date.now();
      const { executionTimeoutMs } = entry.record.options;
      this.#endAfter(entry, executionTimeoutMs, 'the job ran longer than its policy.executionTimeout');
      this.#takers.shift()?.give({ record: entry.record, stop: entry.stop.signal });
    }
  }

  #endAfter(entry: Entry, delayMs: number | undefined, error: string): void {
    if (delayMs === undefined) return;
    const end = (): void => {
      if (!isFinal(entry.record.status)) this.#end(entry, 'TIMED_OUT', `${error} of ${delayMs} ms`);
    };
    entry.timers.push(setTimeout(end, delayMs).unref());
  }

  #end(entry: Entry, status: JobStatus, error: string | undefined): void {
    const { record } = entry;
    for (const timer of entry.timers) clearTimeout(timer);
    const queued = this.#queue.indexOf(entry);
    if (queued >= 0) this.#queue.splice(queued, 1);
    record.status = status;
    record.error = error;
    record.endedAt = Date.now();
    if (status === 'CANCELLED' || status === 'TIMED_OUT') entry.stop.abort();
    entry.ended.resolve();
    this.#remember(entry);
    this.#options.onEnd?.(record);
  }

  #remember(entry: Entry): void {
    this.#history.push(entry);
    this.#historyBytes += sizeOf(entry);
    const { maxHistory, maxHistoryBytes } = this.#options;
    while (
      this.#history.length > maxHistory ||
      (this.#historyBytes > maxHistoryBytes && this.#history.length > 1)
    ) {
      const oldest = this.#history.shift() as Entry;
      this.#historyBytes -= sizeOf(oldest);
      this.#entries.delete(oldest.record.id);
    }
  }
}

function newEntry(endpoint: string, bytes: Uint8Array, options: JobOptions): Entry {
  const record: JobRecord = {
    id: randomUUID(),
    endpoint,
    bytes,
    options,
    createdAt: Date.now(),
    status: 'IN_QUEUE',
    startedAt: undefined,
    endedAt: undefined,
    outputJson: undefined,
    error: undefined,
    stream: [],
    log: [],
    logBytes: 0,
  };
  return { record, ended: Promise.withResolvers<void>(), stop: new AbortController(), timers: [] };
}

function sizeOf({ record }: Entry): number {
  return record.bytes.length + (record.outputJson?.length ?? 0) + record.logBytes;
}
