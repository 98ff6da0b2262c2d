import type { Log } from '@flash/worker-core';
import * as z from 'zod';
import type { JobsInProgress } from './jobs-in-progress.ts';
import { QueueCallError } from './queue-call-error.ts';
import type { QueueClient } from './queue-client.ts';
import { withRetries } from './retry.ts';
import type { RunpodQueueSettings } from './settings.ts';
import { TakePacer } from './take-pacer.ts';

const signalsSchema = z.lazy(() => z.object({ jobsToStop: z.array(z.unknown()).default([]) }));

export interface StopChannelDependencies {
  readonly client: QueueClient;
  readonly url: string;
  readonly settings: RunpodQueueSettings;
  readonly jobs: JobsInProgress;
  readonly log: Log;
}

/** Listens for jobs the platform wants stopped, and stops just those (docs/reference/protocol.md, Stop). */
export class StopChannel {
  readonly #dependencies: StopChannelDependencies;
  readonly #closed = new AbortController();
  readonly #pacer: TakePacer;
  readonly #ended: Promise<void>;

  constructor(dependencies: StopChannelDependencies) {
    this.#dependencies = dependencies;
    this.#pacer = new TakePacer(dependencies.settings.FLASH_EMPTY_TAKE_MS);
    this.#ended = this.#listen();
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#ended;
  }

  async #listen(): Promise<void> {
    const { client, settings, log } = this.#dependencies;
    const { signal } = this.#closed;
    while (!signal.aborted) {
      await withRetries(() => this.#poll(), settings, {
        contact: client.contact,
        attempts: Number.POSITIVE_INFINITY,
        signal,
        onFailure: (error, attempt) =>
          log.write('debug', 'the stop channel could not be read', { attempt, reason: error.message }),
      }).catch(() => {});
    }
  }

  async #poll(): Promise<void> {
    const { client, url, settings, jobs, log } = this.#dependencies;
    const { signal } = this.#closed;
    await this.#pacer.turn(signal);
    const startedAt = performance.now();
    const answer = await client
      .get(url, { timeoutMs: settings.FLASH_TAKE_TIMEOUT_MS, signal })
      .catch((error: unknown) => expired(error, startedAt, settings.FLASH_TAKE_TIMEOUT_MS));
    const ids = answer === undefined || answer.bytes.length === 0 ? [] : readIds(answer.bytes);
    this.#pacer.note(startedAt, ids.length > 0);
    for (const id of ids) {
      const entry = jobs.get(id);
      if (entry === undefined) continue;
      log.write('info', 'the platform wants a job stopped', { jobId: id });
      entry.stop.abort();
    }
  }
}

/** Passes over a poll that ran its whole time and found nothing; throws for any other failure, which is tried again. */
function expired(error: unknown, startedAt: number, timeoutMs: number): undefined {
  if (!(error instanceof QueueCallError)) throw error;
  if (error.status === undefined && performance.now() - startedAt >= timeoutMs) return undefined;
  throw new QueueCallError(error.message);
}

function readIds(bytes: Buffer): string[] {
  let body: unknown;
  try {
    body = JSON.parse(bytes.toString());
  } catch (error) {
    throw new QueueCallError(`the stop channel's answer is not JSON: ${(error as Error).message}`);
  }
  const signals = signalsSchema.safeParse(body);
  return signals.success ? signals.data.jobsToStop.filter((id) => typeof id === 'string') : [];
}
