import type { RequestEvent } from '../output/request-log.ts';
import type { Job, JobOutcome, JobQueue } from '../ports/job-queue.ts';
import type { Log } from '../ports/log.ts';
import { type Metrics, noMetrics } from '../ports/metrics.ts';
import { noTracer, type Span, type Tracer } from '../ports/tracer.ts';
import { traceContextOfJob } from '../protocol/trace-context.ts';
import { withSpan } from './with-span.ts';
import type { JobRunner } from './job-runner.ts';

const throughQueue = ['queue'];

export interface ServeJobsDependencies {
  readonly queue: JobQueue;
  readonly jobRunner: JobRunner;
  readonly log: Log;
  readonly metrics?: Metrics | undefined;
  readonly tracer?: Tracer | undefined;
  /** How many jobs are in flight at most, at least 1. A job is in flight until its result is handed over. */
  readonly concurrency: number;
  /** So many jobs in a row that failed for the worker's own reasons end the serving; 0: never. */
  readonly maxConsecutiveFailures: number;
  /** Brings a fresh worker when a job asks for one, and serving goes on; without it serving ends. */
  readonly onRefresh?: ((jobId: string) => void) | undefined;
}

/** Why serving has ended. */
export type ServeEnd =
  | { readonly reason: 'asked' }
  /** A job asked for a fresh worker. */
  | { readonly reason: 'refresh'; readonly jobId: string }
  /** Job after job failed for the worker's own reasons. */
  | { readonly reason: 'failing'; readonly failures: number; readonly error: string }
  /** The queue will never give a job again. */
  | { readonly reason: 'queue'; readonly error: Error };

/** A job and when it came: milliseconds on the clock of `Date.now()`. */
interface TakenJob {
  readonly job: Job;
  readonly askedAt: number;
  readonly takenAt: number;
}

interface JobAtWork {
  readonly job: Job;
  readonly span: Span;
  readonly end: AbortController;
}

/**
 * Keeps a fixed number of jobs in flight: whenever there is room it asks the queue for as many jobs as fit. One job's fate never
 * touches another's (docs/reference/protocol.md, Queue protocol).
 */
export class ServeJobs {
  readonly #dependencies: ServeJobsDependencies;
  readonly #metrics: Metrics;
  readonly #tracer: Tracer;
  readonly #stopped = new AbortController();
  readonly #ended = Promise.withResolvers<ServeEnd>();
  readonly #atWork = new Set<JobAtWork>();
  /** Jobs that came although there was no room for them. */
  readonly #waiting: TakenJob[] = [];
  /** Jobs asked for and not yet come. */
  #wanted = 0;
  #failures = 0;
  #end: ServeEnd | undefined;

  constructor(dependencies: ServeJobsDependencies) {
    this.#dependencies = dependencies;
    this.#metrics = dependencies.metrics ?? noMetrics;
    this.#tracer = dependencies.tracer ?? noTracer;
    this.#metrics.gauge('flash_jobs_in_progress', () => this.#atWork.size);
  }

  /** Begins to serve. Resolves when no more jobs are taken and none is in flight. */
  serve(): Promise<ServeEnd> {
    this.#fill();
    return this.#ended.promise;
  }

  /** Takes no more jobs. Those in flight go on. */
  stop(): void {
    this.#stop({ reason: 'asked' });
  }

  /** Ends the jobs in flight without results: the queue will give them to another worker. */
  abandonJobs(): void {
    for (const { end } of this.#atWork) end.abort();
  }

  #stop(end: ServeEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#stopped.abort();
    for (const { job } of this.#waiting.splice(0)) this.#abandon(job);
    this.#endWhenDone();
  }

  /** Lets go of a job that was taken and not begun. */
  #abandon(job: Job): void {
    this.#metrics.count('flash_jobs_total', ['stopped']);

    this.#dependencies.queue.abandon(job);
  }

  #endWhenDone(): void {
    if (this.#end !== undefined && this.#wanted === 0 && this.#atWork.size === 0)
      this.#ended.resolve(this.#end);
  }

  #fill(): void {
    const { concurrency } = this.#dependencies;
    while (this.#waiting.length > 0 && this.#atWork.size < concurrency)
      void this.#serve(this.#waiting.shift() as TakenJob);
    const room = concurrency - this.#atWork.size - this.#waiting.length - this.#wanted;
    if (room > 0 && !this.#stopped.signal.aborted) void this.#take(room);
    this.#endWhenDone();
  }

  async #take(wanted: number): Promise<void> {
    this.#wanted += wanted;
    const askedAt = Date.now();
    try {
      const jobs = await this.#dependencies.queue.take(wanted, this.#stopped.signal);
      const takenAt = Date.now();
      await this.#tracer.loading;
      for (const job of jobs) {
        this.#waiting.push({ job, askedAt, takenAt });
        this.#metrics.count('flash_jobs_taken_total');
        this.#metrics.count('flash_received_bytes_total', throughQueue, job.bytes.length);
      }
    } catch (error) {
      if (!this.#stopped.signal.aborted) this.#stop({ reason: 'queue', error: error as Error });
    }
    this.#wanted -= wanted;
    this.#fill();
  }

  async #serve(taken: TakenJob): Promise<void> {
    const { queue, log } = this.#dependencies;
    const { job } = taken;
    if (job.stop.aborted) return this.#abandon(job);
    const work: JobAtWork = { job, span: this.#begin(taken), end: new AbortController() };
    const { span } = work;
    const onStop = (): void => work.end.abort();
    job.stop.addEventListener('abort', onStop, { once: true });
    this.#atWork.add(work);
    const started = performance.now();
    this.#metrics.observe('flash_job_wait_seconds', (Date.now() - taken.takenAt) / 1000);
    const outcome = await this.#run(work);
    if (work.end.signal.aborted) {
      log.write('info', 'a job was stopped: it gets no result', { jobId: job.id });
      queue.abandon(job);
    } else {
      this.#metrics.count('flash_sent_bytes_total', throughQueue, outcome.outputJson?.length ?? 0);
      await withSpan(span.child('post'), () => queue.finish(job, outcome)).catch((error: unknown) => {
        log.write('error', 'a result could not be handed over', { jobId: job.id, error });
      });
    }
    job.stop.removeEventListener('abort', onStop);
    this.#atWork.delete(work);
    const end = work.end.signal.aborted ? 'stopped' : endOf(outcome);
    if (end !== 'completed') span.fail(end);
    span.end();
    this.#metrics.count('flash_jobs_total', [end]);
    this.#metrics.observe('flash_job_duration_seconds', (performance.now() - started) / 1000);
    this.#judge(job, outcome);
    this.#fill();
  }

  /** Begins a job's span, with the take that brought the job as its first step. */
  #begin({ job, askedAt, takenAt }: TakenJob): Span {
    const parent = traceContextOfJob(job.body);
    const span = this.#tracer.begin('job', { parent, attributes: { 'flash.job_id': job.id } });
    span.child('take', { startedAt: askedAt }).end(takenAt);
    return span;
  }

  async #run({ job, span, end }: JobAtWork): Promise<JobOutcome> {
    const { queue, jobRunner, log } = this.#dependencies;
    try {
      return await jobRunner.run(
        { ...job, stop: end.signal },
        {
          span,
          onEvent: (event) => queue.logged(job, textOf(event)),
          onProgress: (json) => queue.progress(job, json),
          onChunk: (json) => queue.stream(job, json),
        },
      );
    } catch (error) {
      log.write('error', 'a job failed for a reason of the worker', { jobId: job.id, error });
      return {
        error: `the worker failed while it ran this job: ${(error as Error).message}`,
        isWorkerFault: true,
      };
    }
  }

  #judge(job: Job, { isWorkerFault, refreshWorker, error = '' }: JobOutcome): void {
    const { maxConsecutiveFailures, onRefresh } = this.#dependencies;
    this.#failures = isWorkerFault ? this.#failures + 1 : 0;
    if (maxConsecutiveFailures > 0 && this.#failures >= maxConsecutiveFailures) {
      this.#stop({ reason: 'failing', failures: this.#failures, error });
    }
    if (!refreshWorker) return;
    if (onRefresh === undefined) this.#stop({ reason: 'refresh', jobId: job.id });
    else onRefresh(job.id);
  }
}

function endOf({ isWorkerFault, error }: JobOutcome): string {
  if (isWorkerFault) return 'worker_fault';
  return error === undefined ? 'completed' : 'failed';
}

function textOf(event: RequestEvent): string {
  return event.kind === 'system' ? `${event.line}\n` : event.text;
}
