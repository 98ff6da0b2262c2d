import { type Log, workerVersion } from '@flash/worker-core';
import { QueueCallError } from './queue-call-error.ts';
import type { QueueClient } from './queue-client.ts';
import { withRetries } from './retry.ts';
import type { RunpodQueueSettings } from './settings.ts';

const attempts = 4;
/** Longest list of ids in one ping, as addresses are bounded; the next pings have the others. */
const longestIds = 6000;
const longestReason = 256;

export interface HeartbeatDependencies {
  readonly client: QueueClient;
  /** The address with these parameters; `undefined` when the platform gave none. */
  readonly url: (parameters: Readonly<Record<string, string>>) => string | undefined;
  readonly settings: RunpodQueueSettings;
  /** Ids of the jobs in progress. */
  readonly jobIds: () => readonly string[];
  readonly log: Log;
}

/** Tells the platform that this worker lives, and what it works on (docs/reference/protocol.md, Ping). */
export class Heartbeat {
  readonly #dependencies: HeartbeatDependencies;
  readonly #closed = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #underWay: Promise<void> | undefined;
  /** When the platform took the last one; before the first, when that was due. */
  #takenAt = Date.now();

  constructor(dependencies: HeartbeatDependencies) {
    this.#dependencies = dependencies;
    this.#timer = setInterval(() => this.#beat(), dependencies.settings.RUNPOD_PING_INTERVAL);
    this.#beat();
  }

  /** Time since the platform took the last one, or since the first was due; in milliseconds. */
  get ageMs(): number {
    return Math.max(0, Date.now() - this.#takenAt);
  }

  /** Says once that this worker can't serve. Never rejects. */
  async reportUnhealthy(check: string, reason: string): Promise<void> {
    await this.#underWay;
    await this.#ping({ status: 'unhealthy', check, reason: reason.slice(0, longestReason) });
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#closed.abort();
    await this.#underWay;
  }

  #beat(): void {
    this.#underWay ??= this.#ping({}).finally(() => {
      this.#underWay = undefined;
    });
  }

  async #ping(more: Readonly<Record<string, string>>): Promise<void> {
    const { client, settings, jobIds, log } = this.#dependencies;
    const ids = joined(jobIds());
    const url = this.#dependencies.url({
      ...(ids === '' ? {} : { job_id: ids }),
      runpod_version: workerVersion,
      ...more,
    });
    if (url === undefined) return;
    const call = { timeoutMs: settings.RUNPOD_PING_INTERVAL * 2, signal: this.#closed.signal };
    try {
      await withRetries(() => client.get(url, call).then(() => undefined, toRetry), settings, {
        contact: client.contact,
        attempts,
        signal: this.#closed.signal,
      });
      this.#takenAt = Date.now();
    } catch (error) {
      if (!this.#closed.signal.aborted)
        log.write('warn', 'a heartbeat was not taken', { reason: (error as Error).message });
    }
  }
}

/** Only 429 and failures of the server or the network are worth another attempt at once. */
function toRetry(error: unknown): never {
  if (
    error instanceof QueueCallError &&
    error.status !== undefined &&
    error.status !== 429 &&
    error.status < 500
  ) {
    throw new QueueCallError(error.message, { status: 400 });
  }
  throw error;
}

function joined(ids: readonly string[]): string {
  let text = '';
  for (const id of ids) {
    if (text.length + id.length >= longestIds) break;
    text += text === '' ? id : `,${id}`;
  }
  return text;
}
