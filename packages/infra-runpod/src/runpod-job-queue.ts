import {
  type Job,
  type JobOutcome,
  jobOutputJson,
  type JobQueue,
  type Log,
  type Metrics,
  noMetrics,
} from '@flash/worker-core';
import { Heartbeat } from './heartbeat.ts';
import { JobTaker } from './job-taker.ts';
import { JobsInProgress } from './jobs-in-progress.ts';
import { Outbox } from './outbox.ts';
import { QueueCallError } from './queue-call-error.ts';
import { QueueClient } from './queue-client.ts';
import { QueueUrls } from './queue-urls.ts';
import { ResultDelivery } from './result-delivery.ts';
import { withRetries } from './retry.ts';
import type { RunpodQueueSettings } from './settings.ts';
import { StopChannel } from './stop-channel.ts';

export interface RunpodJobQueueOptions {
  readonly settings: RunpodQueueSettings;
  readonly workerId: string;
  readonly log: Log;
  /** Absent: nothing is measured. */
  readonly metrics?: Metrics | undefined;
}

/** JobQueue over the platform's HTTP protocol (docs/reference/protocol.md, Queue protocol). Heartbeat and stop channel run as long as it is open. */
export class RunpodJobQueue implements JobQueue {
  readonly #settings: RunpodQueueSettings;
  readonly #log: Log;
  readonly #client: QueueClient;
  readonly #urls: QueueUrls;
  readonly #jobs: JobsInProgress;
  readonly #outbox: Outbox;
  readonly #delivery: ResultDelivery;
  readonly #taker: JobTaker;
  readonly #heartbeat: Heartbeat;
  #stopChannel: StopChannel | undefined;

  /**
   * Opens the queue: finds results that an earlier process has left, and begins to post them.
   *
   * @throws SettingsError naming the variable that can't be used.
   */
  static async open(options: RunpodJobQueueOptions): Promise<RunpodJobQueue> {
    const { settings, workerId, log } = options;
    const urls = new QueueUrls(settings, workerId);
    const outbox = await Outbox.open({
      stateDirectory: settings.FLASH_STATE_DIR,
      workerId,
      maxResults: settings.FLASH_OUTBOX_MAX_RESULTS,
      maxBytes: settings.FLASH_OUTBOX_MAX_BYTES,
      leaseMs: settings.FLASH_STATE_LEASE_MS,
      log,
    });
    return new RunpodJobQueue(options, urls, outbox);
  }

  private constructor(
    { settings, log, metrics = noMetrics }: RunpodJobQueueOptions,
    urls: QueueUrls,
    outbox: Outbox,
  ) {
    this.#settings = settings;
    this.#log = log;
    this.#urls = urls;
    this.#outbox = outbox;
    const client = new QueueClient({
      apiKey: settings.RUNPOD_AI_API_KEY,
      maxAnswerBytes: settings.FLASH_MAX_TAKE_BYTES,
    });
    this.#client = client;
    this.#jobs = new JobsInProgress({
      duplicateWindowMs: settings.FLASH_DUPLICATE_WINDOW_MS,
      progressIntervalMs: settings.FLASH_PROGRESS_INTERVAL_MS,
      sendProgress: (jobId, json) => this.#sendProgress(jobId, json),
    });
    const jobs = this.#jobs;
    const delivery = new ResultDelivery({
      client,
      urls,
      settings,
      outbox,
      log,
      onSettled: (jobId, acknowledged) => jobs.remove(jobId, acknowledged),
    });
    this.#delivery = delivery;
    this.#taker = new JobTaker({
      client,
      urls,
      settings,
      jobs,
      hasResult: (id) => delivery.has(id),
      log,
      metrics,
    });
    this.#heartbeat = new Heartbeat({
      client,
      url: (parameters) => urls.ping(parameters),
      settings,
      log,
      jobIds: () => [...new Set([...jobs.ids, ...delivery.pendingIds])],
    });
    metrics.gauge('flash_outbox_results', () => outbox.size);
    metrics.gauge('flash_outbox_oldest_seconds', () => outbox.oldestMs / 1000);
    metrics.gauge('flash_heartbeat_age_seconds', () => this.#heartbeat.ageMs / 1000);
  }

  async take(wanted: number, signal: AbortSignal): Promise<readonly Job[]> {
    this.#stopChannel ??= this.#openStopChannel();
    if (!this.#delivery.hasRoom) await this.#delivery.room(signal);
    return this.#taker.take(wanted, signal);
  }

  logged(): void {
    // The platform has no live log of a job: its lines are in the worker's own log, under the job's id.
  }

  progress(job: Job, json: Uint8Array): void {
    this.#jobs.get(job.id)?.progress.update(json);
  }

  async stream(job: Job, chunkJson: Uint8Array): Promise<void> {
    const url = this.#urls.stream(job.id);
    if (url === undefined) throw new QueueCallError('RUNPOD_WEBHOOK_POST_STREAM is not set');
    const entry = this.#jobs.get(job.id);
    const number = entry === undefined ? 0 : entry.chunks++;
    const call = {
      timeoutMs: this.#settings.FLASH_POST_TIMEOUT_MS,
      signal: job.stop,
      // An attempt whose answer was lost is repeated: the platform knows the chunk by its number.
      headers: { 'x-chunk-number': String(number) },
    };
    const body = jobOutputJson(chunkJson);
    await withRetries(() => this.#client.post(url, body, job.id, call), this.#settings, {
      contact: this.#client.contact,
      attempts: this.#settings.FLASH_STREAM_ATTEMPTS,
      signal: job.stop,
      onFailure: (error, attempt) =>
        this.#log.write('warn', 'a chunk could not be posted; it will be posted again', {
          jobId: job.id,
          attempt,
          reason: error.message,
        }),
    });
  }

  async finish(job: Job, outcome: JobOutcome): Promise<void> {
    await this.#jobs.get(job.id)?.progress.end();
    await this.#delivery.deliver(job.id, outcome);
    // A result that still waits to be delivered says how the job ended.
    if (this.#jobs.get(job.id)?.job === job) this.#jobs.remove(job.id, false);
  }

  abandon(job: Job): void {
    void this.#jobs.get(job.id)?.progress.end();
    this.#jobs.remove(job.id, false);
  }

  /** Tells the platform that this worker can't serve (docs/reference/protocol.md, Ping). Never rejects. */
  reportUnhealthy(check: string, reason: string): Promise<void> {
    return this.#heartbeat.reportUnhealthy(check, reason);
  }

  /** Ends; undelivered results have so many milliseconds. Those that are left stay on disk for the next start. */
  async close(flushMs: number): Promise<void> {
    await this.#delivery.close(flushMs);
    await Promise.all([this.#stopChannel?.close(), this.#heartbeat.close()]);
    await this.#client.close();
    await this.#outbox.close();
  }

  #openStopChannel(): StopChannel | undefined {
    const url = this.#urls.stop();
    if (url === undefined) {
      this.#log.write(
        'warn',
        'jobs can’t be stopped one by one: RUNPOD_WEBHOOK_GET_JOB has no /job-take/ to make a stop address of',
      );
      return undefined;
    }
    return new StopChannel({
      client: this.#client,
      url,
      settings: this.#settings,
      jobs: this.#jobs,
      log: this.#log,
    });
  }

  async #sendProgress(jobId: string, json: Uint8Array): Promise<void> {
    try {
      await this.#client.post(this.#urls.done(jobId, false), jobOutputJson(json, 'IN_PROGRESS'), jobId, {
        timeoutMs: this.#settings.FLASH_POST_TIMEOUT_MS,
      });
    } catch (error) {
      this.#log.write('warn', 'progress could not be posted', { jobId, reason: (error as Error).message });
    }
  }
}
