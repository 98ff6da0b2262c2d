import { setTimeout as delay } from 'node:timers/promises';
import { type JobOutcome, jobResultJson, type Log } from '@flash/worker-core';
import pLimit from 'p-limit';
import type { Outbox, StoredResult } from './outbox.ts';
import { QueueCallError } from './queue-call-error.ts';
import type { QueueClient } from './queue-client.ts';
import type { QueueUrls } from './queue-urls.ts';
import { withRetries } from './retry.ts';
import type { RunpodQueueSettings } from './settings.ts';

const mebibyte = 1024 * 1024;
/** Results that are posted again at the same time. */
const repostsAtOnce = 4;

export interface ResultDeliveryDependencies {
  readonly client: QueueClient;
  readonly urls: QueueUrls;
  readonly settings: RunpodQueueSettings;
  readonly outbox: Outbox;
  readonly log: Log;
  /** The platform has taken a job's result, or will never take any. */
  readonly onSettled: (jobId: string, acknowledged: boolean) => void;
}

/** One result on its way. */
interface Parcel {
  readonly jobId: string;
  readonly isStream: boolean;
  readonly body: () => Promise<Uint8Array>;
  /** `undefined` when it could not be kept on disk. */
  readonly stored: StoredResult | undefined;
  /** Whether it is an error report in place of a result that was refused. */
  readonly isReport: boolean;
}

/**
 * Delivers results (docs/reference/protocol.md, Result): on disk before the first post, posted until the platform has acknowledged it. A result
 * the platform refuses for good is replaced by an error that says so.
 */
export class ResultDelivery {
  readonly #dependencies: ResultDeliveryDependencies;
  readonly #closed = new AbortController();
  readonly #limit = pLimit(repostsAtOnce);
  /** Jobs whose result is posted again and again, with the promise of its end. */
  readonly #pending = new Map<string, Promise<void>>();
  #unstored = 0;

  constructor(dependencies: ResultDeliveryDependencies) {
    this.#dependencies = dependencies;
    for (const stored of dependencies.outbox.results) this.#postAgain(stored);
    dependencies.outbox.watch((stored) => this.#postAgain(stored));
  }

  /** Whether a result of this job waits to be delivered. */
  has(jobId: string): boolean {
    return this.#pending.has(jobId) || this.#dependencies.outbox.has(jobId);
  }

  get pendingIds(): readonly string[] {
    return [...this.#pending.keys()];
  }

  /** Whether another job's result could be kept. */
  get hasRoom(): boolean {
    return this.#dependencies.outbox.hasRoom && this.#unstored === 0;
  }

  /** Resolves when there is room again. */
  async room(signal: AbortSignal): Promise<void> {
    const { log, settings, outbox } = this.#dependencies;
    if (this.hasRoom) return;
    log.write('warn', 'no job is taken until the platform has acknowledged earlier results', {
      results: outbox.size + this.#unstored,
    });
    while (!this.hasRoom) {
      const next = Promise.race(this.#pending.values());
      await Promise.race([next, delay(settings.FLASH_RETRY_MAX_MS, undefined, { signal })]);
    }
  }

  /** Resolves when the platform has the result, or when it is kept and goes on being posted. */
  async deliver(jobId: string, outcome: JobOutcome): Promise<void> {
    const { outbox, settings } = this.#dependencies;
    const isStream = outcome.isStream ?? false;
    let body = jobResultJson(outcome);
    const limit = settings.FLASH_MAX_RESULT_BYTES ?? platformLimit(jobId);
    if (limit !== undefined && body.length > limit)
      body = jobResultJson(tooLarge(outcome, body.length, limit));
    const stored = await outbox.put(jobId, isStream, body);
    const parcel: Parcel = { jobId, isStream, body: async () => body, stored, isReport: false };
    try {
      await this.#post(parcel);
      await this.#settle(parcel, true);
    } catch (error) {
      if (isRefusal(error)) return this.#replace(parcel, error, body.length);
      this.#dependencies.log.write('warn', 'a result could not be posted; it will be posted again', {
        jobId,
        reason: (error as Error).message,
      });
      this.#repeat(stored === undefined ? parcel : { ...parcel, body: () => outbox.read(stored) });
    }
  }

  /** Ends; results that wait have so many milliseconds to be delivered. Those that are left stay on disk for the next process. */
  async close(flushMs: number): Promise<void> {
    await Promise.race([Promise.all(this.#pending.values()), delay(flushMs, undefined, { ref: false })]);
    this.#closed.abort();
    await Promise.all(this.#pending.values());
  }

  /** A result that an earlier process has left. */
  #postAgain(stored: StoredResult): void {
    this.#repeat({ ...stored, body: () => this.#dependencies.outbox.read(stored), stored, isReport: false });
  }

  async #post({ jobId, isStream, body }: Parcel): Promise<void> {
    const { client, urls, settings, log } = this.#dependencies;
    const bytes = await body().catch(unlessMissing);
    if (bytes === undefined) {
      log.write('warn', 'a stored result is gone: another process took this one for dead, and posts it', {
        jobId,
      });
      return;
    }
    await client.post(urls.done(jobId, isStream), bytes, jobId, {
      timeoutMs: settings.FLASH_POST_TIMEOUT_MS,
      signal: this.#closed.signal,
    });
  }

  /** Posts again until it is taken; others go on meanwhile. */
  #repeat(parcel: Parcel): void {
    const { client, settings, log } = this.#dependencies;
    if (parcel.stored === undefined) this.#unstored++;
    const work = async (): Promise<void> => {
      try {
        await withRetries(() => this.#limit(() => this.#post(parcel)), settings, {
          contact: client.contact,
          attempts: Number.POSITIVE_INFINITY,
          signal: this.#closed.signal,
          onFailure: (error, attempt) =>
            log.write('warn', 'a result could not be posted; it will be posted again', {
              jobId: parcel.jobId,
              attempt,
              reason: error.message,
            }),
        });
        await this.#settle(parcel, true);
      } catch (error) {
        if (isRefusal(error)) await this.#replace(parcel, error, (await parcel.body()).length);
        else this.#giveUp(parcel, error);
      }
    };
    const end = delay(settings.FLASH_RETRY_MIN_MS * Math.random(), undefined, { signal: this.#closed.signal })
      .catch(() => {})
      .then(work)
      .finally(() => {
        if (parcel.stored === undefined) this.#unstored--;
        if (this.#pending.get(parcel.jobId) === end) this.#pending.delete(parcel.jobId);
      });
    this.#pending.set(parcel.jobId, end);
  }

  /** The platform will never take this result: it is told why, so that the client sees a failure with a reason. */
  async #replace(parcel: Parcel, error: QueueCallError, size: number): Promise<void> {
    const { outbox, log } = this.#dependencies;
    const { jobId, isStream } = parcel;
    if (parcel.isReport) {
      log.write('error', 'the platform takes no result of this job', { jobId, reason: error.message });
      return this.#settle(parcel, false);
    }
    log.write('error', 'the platform refused a result: an error is reported in its place', {
      jobId,
      size,
      reason: error.message,
    });
    const body = jobResultJson({ error: refused(jobId, error, size) });
    const stored = await outbox.put(jobId, isStream, body);
    this.#repeat({ jobId, isStream, body: async () => body, stored, isReport: true });
  }

  async #settle({ jobId, stored }: Parcel, acknowledged: boolean): Promise<void> {
    this.#dependencies.onSettled(jobId, acknowledged);
    if (stored === undefined) return;
    await this.#dependencies.outbox.remove(stored).catch((error: unknown) => {
      this.#dependencies.log.write('error', 'a delivered result could not be removed (FLASH_STATE_DIR)', {
        jobId,
        error,
      });
    });
  }

  #giveUp({ jobId, stored }: Parcel, error: unknown): void {
    const { log } = this.#dependencies;
    if (stored === undefined) {
      log.write('error', 'a result is lost: it was neither posted nor kept on disk', { jobId, error });
    } else if (this.#closed.signal.aborted) {
      log.write('warn', 'a result was not delivered before the end; the next start posts it', { jobId });
    } else {
      log.write('error', 'a stored result could not be posted; the next start tries again', { jobId, error });
    }
  }
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

function isRefusal(error: unknown): error is QueueCallError {
  return error instanceof QueueCallError && error.isFinal;
}

function tooLarge({ error }: JobOutcome, size: number, limit: number): JobOutcome {
  const reason = `the result has ${size} bytes and the platform takes ${limit} for this kind of job: return less, for instance a link to a file (FLASH_MAX_RESULT_BYTES)`;
  return { error: error === undefined ? reason : `${error.slice(0, 4096)}\n${reason}` };
}

function refused(jobId: string, { status, answer }: QueueCallError, size: number): string {
  const limit = platformLimit(jobId);
  const known =
    limit === undefined ? '20 MB for runsync, 10 MB for run' : `${limit} bytes for this kind of job`;
  return `the platform refused the result with status ${status}${answer ? ` (${answer})` : ''}: it has ${size} bytes, and the platform's limit is ${known}`;
}

/**
 * The most bytes the platform takes for a job's result, by the kind of job its id tells: ids of `/runsync` begin with "sync-", those of
 * `/run` end in a region such as "-u1" or "-e2" (docs/reference/protocol.md, Result). `undefined` for any other id.
 */
function platformLimit(jobId: string): number | undefined {
  if (jobId.startsWith('sync-')) return 20 * mebibyte;
  return /-[a-z]\d+$/.test(jobId) ? 10 * mebibyte : undefined;
}
