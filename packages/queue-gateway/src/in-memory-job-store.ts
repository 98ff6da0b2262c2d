import type { JobOutcome } from '@flash/worker-core';
import type { JobStep } from './console/overview.ts';
import { type JobEntry, newJobEntry } from './job-entry.ts';
import { JobHistory } from './job-history.ts';
import { JobLine } from './job-line.ts';
import type { JobOptions, JobRecord } from './job-record.ts';
import { isFinal, type JobStatus } from './job-status.ts';
import type { JobCounts, JobStore, Lease, RecentJobs, TakeRequest } from './job-store.ts';
import { QueueFullError } from './queue-full-error.ts';
import { StopMailbox } from './stop-mailbox.ts';

/** Steps kept of one job; one delivery has some six. */
const mostSteps = 64;

export interface InMemoryJobStoreOptions {
  /** Most jobs that wait. */
  readonly maxQueued: number;
  /** Most ended jobs that are remembered. */
  readonly maxHistory: number;
  /** Most bytes of ended jobs that are remembered, over all of them. */
  readonly maxHistoryBytes: number;
  /** Most log text kept of one job. */
  readonly maxLogBytes: number;
  /** Most bytes of one job's chunks that no client has fetched. */
  readonly maxStreamBytes: number;
  /** How often a job is handed out; when its worker is lost then, it has failed. */
  readonly maxDeliveries: number;
  /** Called once for every job that ends. Must not throw. */
  readonly onEnd?: (record: JobRecord) => void;
}

/** JobStore in this process's memory: for development, tests and one machine. */
export class InMemoryJobStore implements JobStore {
  readonly #options: InMemoryJobStoreOptions;
  readonly #entries = new Map<string, JobEntry>();
  readonly #line = new JobLine((entry, request) => this.#handOut(entry, request));
  readonly #history: JobHistory;
  readonly #stops = new StopMailbox();

  constructor(options: InMemoryJobStoreOptions) {
    this.#options = options;
    this.#history = new JobHistory({ ...options, onForgotten: ({ id }) => this.#entries.delete(id) });
  }

  async submit(
    endpoint: string,
    bytes: Uint8Array,
    options: JobOptions,
    kind: 'run' | 'runsync' = 'run',
  ): Promise<JobRecord> {
    if (this.#line.length >= this.#options.maxQueued) {
      throw new QueueFullError(
        `${this.#options.maxQueued} jobs are waiting already; try again later, or raise FLASH_GATEWAY_MAX_QUEUED`,
      );
    }
    const entry = newJobEntry(endpoint, bytes, options, kind);
    this.#entries.set(entry.record.id, entry);
    this.#endAfter(entry, options.ttlMs, 'the job was not finished within its policy.ttl');
    this.#line.add(entry);
    return entry.record;
  }

  async find(endpoint: string, id: string): Promise<JobRecord | undefined> {
    const record = this.#entries.get(id)?.record;
    return record?.endpoint === endpoint ? record : undefined;
  }

  async recent(most: number): Promise<RecentJobs> {
    const records = [...this.#entries.values()].slice(-most).map(({ record }) => record);
    return { records: records.reverse(), total: this.#entries.size };
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

  take(request: TakeRequest): Promise<Lease[]> {
    return this.#line.take(request);
  }

  deliverAgain(id: string): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined && !isFinal(entry.record.status)) this.#line.addFirst(entry);
  }

  renew(workerId: string, jobIds: readonly string[]): void {
    for (const id of jobIds) {
      const entry = this.#entries.get(id);
      if (entry?.record.workerId === workerId && entry.lease !== undefined) this.#lease(entry);
    }
  }

  appendLog(id: string, text: string): void {
    const record = this.#entries.get(id)?.record;
    if (record === undefined || isFinal(record.status) || record.logBytes > this.#options.maxLogBytes) return;
    record.logBytes += text.length;
    record.log.push(
      record.logBytes > this.#options.maxLogBytes
        ? '\n[… further log of this job is not kept; the bound is FLASH_GATEWAY_LOG_BYTES …]\n'
        : text,
    );
  }

  noteStep(id: string, step: JobStep): void {
    const steps = this.#entries.get(id)?.record.steps;
    if (steps !== undefined && steps.length < mostSteps) steps.push(step);
  }

  progress(id: string, json: Uint8Array): void {
    const record = this.#entries.get(id)?.record;
    if (record === undefined) return;
    if (isFinal(record.status)) record.late.progress++;
    else record.progressJson = json;
  }

  appendChunk(id: string, json: Uint8Array, number: number | undefined): boolean {
    const record = this.#entries.get(id)?.record;
    if (record === undefined || isFinal(record.status)) return true;
    if (number !== undefined && number < record.nextChunk) return true;
    if (record.streamBytes > 0 && record.streamBytes + json.length > this.#options.maxStreamBytes)
      return false;
    record.nextChunk = (number ?? record.nextChunk) + 1;
    record.stream.push(json);
    record.streamBytes += json.length;
    return true;
  }

  async finish(id: string, { outputJson, error }: JobOutcome): Promise<void> {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    const { record } = entry;
    if (isFinal(record.status)) {
      const isSame = record.error === error && isEqual(record.outputJson, outputJson);
      record.late[isSame ? 'same' : 'other']++;
      return;
    }
    record.outputJson = outputJson;
    this.#end(entry, error === undefined ? 'COMPLETED' : 'FAILED', error);
  }

  stops(workerId: string, signal: AbortSignal): Promise<readonly string[]> {
    return this.#stops.take(workerId, signal);
  }

  async cancel(record: JobRecord): Promise<void> {
    const entry = this.#entries.get(record.id);
    if (entry === undefined || isFinal(record.status)) return;
    this.#end(entry, 'CANCELLED', undefined);
  }

  async purge(endpoint: string): Promise<number> {
    const waiting = this.#line.entries.filter(
      ({ record }) => record.endpoint === endpoint && record.status === 'IN_QUEUE',
    );
    for (const entry of waiting) this.#end(entry, 'CANCELLED', undefined);
    return waiting.length;
  }

  async count(endpoint: string): Promise<JobCounts> {
    const records = [...this.#entries.values()]
      .map(({ record }) => record)
      .filter((record) => record.endpoint === endpoint);
    const number = (...wanted: JobStatus[]): number =>
      records.filter(({ status }) => wanted.includes(status)).length;
    return {
      completed: number('COMPLETED'),
      failed: number('FAILED', 'TIMED_OUT', 'CANCELLED'),
      inProgress: number('IN_PROGRESS'),
      inQueue: number('IN_QUEUE'),
      retried: records.reduce((sum, { deliveries }) => sum + Math.max(0, deliveries - 1), 0),
    };
  }

  async close(): Promise<void> {
    for (const entry of this.#entries.values())
      if (!isFinal(entry.record.status)) this.#end(entry, 'CANCELLED', undefined);
  }

  #handOut(entry: JobEntry, { workerId, leaseMs }: TakeRequest): Lease {
    const { record } = entry;
    record.deliveries++;
    // A job that is handed out again while it is at work stays where it is.
    if (record.status === 'IN_QUEUE') {
      record.status = 'IN_PROGRESS';
      record.workerId = workerId;
      entry.leaseMs = leaseMs;
      this.#lease(entry);
      if (record.startedAt === undefined) {
        record.startedAt = Date.now();
        const { executionTimeoutMs } = record.options;
        this.#endAfter(entry, executionTimeoutMs, 'the job ran longer than its policy.executionTimeout');
      }
    }
    return { record, stop: entry.stop.signal };
  }

  #lease(entry: JobEntry): void {
    clearTimeout(entry.lease);
    if (entry.leaseMs !== undefined)
      entry.lease = setTimeout(() => this.#takeBack(entry), entry.leaseMs).unref();
  }

  /** Nothing was heard of the worker: another one gets the job. */
  #takeBack(entry: JobEntry): void {
    const { record } = entry;
    if (isFinal(record.status)) return;
    if (record.deliveries >= this.#options.maxDeliveries) {
      return this.#end(
        entry,
        'FAILED',
        `the job's worker was lost ${record.deliveries} times; it is not tried again (FLASH_GATEWAY_MAX_DELIVERIES)`,
      );
    }
    record.status = 'IN_QUEUE';
    record.progressJson = undefined;
    this.#line.addFirst(entry);
  }

  #endAfter(entry: JobEntry, delayMs: number | undefined, error: string): void {
    if (delayMs === undefined) return;
    const end = (): void => {
      if (!isFinal(entry.record.status)) this.#end(entry, 'TIMED_OUT', `${error} of ${delayMs} ms`);
    };
    entry.timers.push(setTimeout(end, delayMs).unref());
  }

  #end(entry: JobEntry, status: JobStatus, error: string | undefined): void {
    const { record } = entry;
    for (const timer of [...entry.timers, entry.lease]) clearTimeout(timer);
    this.#line.remove(entry);
    const wasAtWork = record.status === 'IN_PROGRESS';
    record.status = status;
    record.error = error;
    record.progressJson = undefined;
    record.endedAt = Date.now();
    if (status === 'CANCELLED' || status === 'TIMED_OUT') {
      entry.stop.abort();
      if (wasAtWork && entry.leaseMs !== undefined && record.workerId !== undefined)
        this.#stops.put(record.workerId, record.id);
    }
    entry.ended.resolve();
    this.#history.add(record);
    this.#options.onEnd?.(record);
  }
}

function isEqual(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return Buffer.compare(one, other) === 0;
}
