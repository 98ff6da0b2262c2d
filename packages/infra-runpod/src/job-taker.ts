import { setTimeout as delay } from 'node:timers/promises';
import {
  elementsOf,
  type Job,
  type Log,
  type Metrics,
  type QueueJob,
  readQueueJob,
  withoutByteOrderMark,
} from '@flash/worker-core';
import type { JobsInProgress } from './jobs-in-progress.ts';
import { QueueCallError } from './queue-call-error.ts';
import type { HttpAnswer } from '@flash/http-client';
import type { QueueClient } from './queue-client.ts';
import type { QueueUrls } from './queue-urls.ts';
import { withRetries } from './retry.ts';
import type { RunpodQueueSettings } from './settings.ts';
import { TakePacer } from './take-pacer.ts';

export interface JobTakerDependencies {
  readonly client: QueueClient;
  readonly urls: QueueUrls;
  readonly settings: RunpodQueueSettings;
  readonly jobs: JobsInProgress;
  /** Whether a result of the job waits to be delivered. */
  readonly hasResult: (jobId: string) => boolean;
  readonly log: Log;
  readonly metrics: Metrics;
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Takes jobs by long poll (docs/reference/protocol.md, Take). */
export class JobTaker {
  readonly #dependencies: JobTakerDependencies;
  readonly #pacer: TakePacer;

  constructor(dependencies: JobTakerDependencies) {
    this.#dependencies = dependencies;
    this.#pacer = new TakePacer(dependencies.settings.FLASH_EMPTY_TAKE_MS);
  }

  /** Takes jobs; none when the queue has none. Tries again after a failure, and rejects only when the signal aborts. */
  take(wanted: number, signal: AbortSignal): Promise<Job[]> {
    const { client, settings, log, metrics } = this.#dependencies;
    return withRetries(() => this.#takeOnce(wanted, signal), settings, {
      contact: client.contact,
      attempts: Number.POSITIVE_INFINITY,
      signal,
      onFailure: async (error, attempt) => {
        log.write(attempt === 1 ? 'warn' : 'error', 'no job could be taken; trying again', {
          attempt,
          reason: error.message,
        });
        metrics.count('flash_take_errors_total', [statusOf(error)]);
        const isLimited = error instanceof QueueCallError && error.status === 429;
        if (isLimited) await delay(settings.FLASH_RATE_LIMIT_MS, undefined, { signal });
      },
    });
  }

  async #takeOnce(wanted: number, signal: AbortSignal): Promise<Job[]> {
    const { client, urls, settings, jobs } = this.#dependencies;
    await this.#pacer.turn(signal);
    const startedAt = performance.now();
    const url = urls.take(wanted, jobs.size > 0);
    const answer = await client
      .get(url, { timeoutMs: settings.FLASH_TAKE_TIMEOUT_MS, signal })
      .catch((error: unknown) => this.#nothing(error, startedAt));
    const taken = answer === undefined || answer.bytes.length === 0 ? [] : this.#read(answer);
    this.#pacer.note(startedAt, taken.length > 0);
    return taken;
  }

  /** Passes over a failed take that means that there is no job (400 tells a frozen worker so; a poll ran its whole time); throws for any other. */
  #nothing(error: unknown, startedAt: number): undefined {
    const { FLASH_TAKE_TIMEOUT_MS: timeoutMs } = this.#dependencies.settings;
    if (error instanceof QueueCallError) {
      if (error.status === 400) {
        this.#dependencies.client.contact.noteSuccess();
        return undefined;
      }
      if (error.status === undefined && performance.now() - startedAt >= timeoutMs) return undefined;
      // No status of the queue is final: a key may be renewed, an endpoint may be back.
      const passing = error.status === 429 ? { status: 429 } : {};
      throw new QueueCallError(error.message, { ...passing, cause: error });
    }
    throw error;
  }

  #read(answer: HttpAnswer): Job[] {
    const bytes = withoutByteOrderMark(answer.bytes);
    let body: unknown;
    try {
      body = JSON.parse(decoder.decode(bytes));
    } catch (error) {
      throw new QueueCallError(`the queue's answer is not JSON: ${(error as Error).message}`);
    }
    if (!Array.isArray(body)) return this.#accept(bytes, body);
    // Each job keeps its text as it came: to print it again would change large numbers, and fail for deep nesting.
    const texts = elementsOf(bytes);
    return body.flatMap((item, index) => this.#accept(texts[index] as Uint8Array, item));
  }

  #accept(bytes: Uint8Array, body: unknown): Job[] {
    const { jobs, hasResult, log } = this.#dependencies;
    let job: QueueJob;
    try {
      job = readQueueJob(body);
    } catch (error) {
      log.write('error', 'the queue sent a job that is none: it is dropped', { error });
      return [];
    }
    const { id } = job;
    if (id === undefined) {
      log.write('error', 'the queue sent a job without an id: it can’t be answered, and is dropped');
      return [];
    }
    if (jobs.isKnown(id) || hasResult(id)) {
      log.write('warn', 'a job was delivered twice: it is answered once', { jobId: id });
      return [];
    }
    return [jobs.add(id, bytes, job)];
  }
}

/** A label: of the statuses there are, whatever a server invents. */
function statusOf(error: Error): string {
  const status = error.cause instanceof QueueCallError ? error.cause.status : undefined;
  return status === undefined || status < 100 || status > 599 ? 'network' : String(status);
}
