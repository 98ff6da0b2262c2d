import { describe, expect, it } from '@jest/globals';
import type { JobOutcome } from '../ports/job-queue.ts';
import { FakeJobQueue } from '../testing/fake-job-queue.ts';
import { RecordingLog } from '../testing/recording-log.ts';
import { RecordingMetrics } from '../testing/recording-metrics.ts';
import type { JobRunner } from './job-runner.ts';
import { ServeJobs, type ServeJobsDependencies } from './serve-jobs.ts';

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const text = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

function setUp(run: JobRunner['run'], parts: Partial<ServeJobsDependencies> = {}) {
  const queue = new FakeJobQueue();
  const log = new RecordingLog();
  const serve = new ServeJobs({
    queue,
    jobRunner: { run },
    log,
    concurrency: 1,
    maxConsecutiveFailures: 0,
    ...parts,
  });
  return { queue, log, serve };
}

describe('ServeJobs', () => {
  it('keeps as many jobs in flight as it may, and not one more', async () => {
    let atWork = 0;
    let most = 0;
    const { queue, serve } = setUp(
      async () => {
        most = Math.max(most, ++atWork);
        await wait(3);
        atWork--;
        return {};
      },
      { concurrency: 3 },
    );
    const jobs = Array.from({ length: 10 }, (_, index) => queue.submit(index));
    const served = serve.serve();
    await Promise.all(jobs.map(({ ended }) => ended));
    serve.stop();
    expect(await served).toEqual({ reason: 'asked' });
    expect(most).toBe(3);
    expect(jobs.every(({ ends }) => ends === 1)).toBe(true);
    expect(Math.max(...queue.takes)).toBe(3);
  });

  it('measures jobs by how they end, and those at work', async () => {
    const metrics = new RecordingMetrics();
    const outcomes: Record<string, JobOutcome> = {
      good: { outputJson: new TextEncoder().encode('{"a":1}') },
      bad: { error: 'it broke' },
      fault: { error: 'no Python', isWorkerFault: true },
    };
    const atWork: (number | undefined)[] = [];
    let received = 0;
    const run: JobRunner['run'] = async ({ body, bytes }) => {
      received += bytes.length;
      atWork.push(metrics.now('flash_jobs_in_progress'));
      return outcomes[String(body.input)] ?? {};
    };
    const { queue, serve } = setUp(run, { metrics });
    const served = serve.serve();
    for (const input of Object.keys(outcomes)) await queue.submit(input).ended;
    serve.stop();
    await served;
    expect(atWork).toEqual([1, 1, 1]);
    expect(metrics.now('flash_jobs_in_progress')).toBe(0);
    expect(metrics.counts).toEqual({
      flash_jobs_taken_total: 3,
      'flash_received_bytes_total queue': received,
      'flash_sent_bytes_total queue': '{"a":1}'.length,
      'flash_jobs_total completed': 1,
      'flash_jobs_total failed': 1,
      'flash_jobs_total worker_fault': 1,
    });
    expect(metrics.times.flash_job_duration_seconds).toHaveLength(3);
  });

  it('counts a job that is stopped before its begin as stopped', async () => {
    const metrics = new RecordingMetrics();
    const { queue, serve } = setUp(async () => ({}), { metrics });
    const job = queue.submit('x');
    job.stop();
    const served = serve.serve();
    await wait(5);
    serve.stop();
    await served;
    expect(metrics.counts).toMatchObject({ flash_jobs_taken_total: 1, 'flash_jobs_total stopped': 1 });
  });

  it('asks for the next job the moment there is room, while others go on', async () => {
    const slow = Promise.withResolvers<JobOutcome>();
    const { queue, serve } = setUp(async ({ body }) => (body.input === 'slow' ? slow.promise : {}), {
      concurrency: 2,
    });
    const first = queue.submit('slow');
    const served = serve.serve();
    for (let count = 0; count < 3; count++) await queue.submit('quick').ended;
    slow.resolve({});
    await first.ended;
    serve.stop();
    await served;
    expect(first.ends).toBe(1);
  });

  it('asks for no more than there is room for, what it has asked for already included', async () => {
    const { queue, serve } = setUp(
      async ({ body }) => {
        await wait(Number(body.input));
        return {};
      },
      { concurrency: 3 },
    );
    const served = serve.serve();
    await wait(5);
    expect(queue.takes).toEqual([3]);
    const job = queue.submit(20);
    await wait(5);
    expect(queue.takes).toEqual([3, 2]);
    await job.ended;
    await wait(5);
    expect(queue.takes).toEqual([3, 2, 1]);
    serve.stop();
    await served;
  });

  it('goes on after a job that failed in the runner, and answers it', async () => {
    const { queue, serve, log } = setUp(async ({ body }) => {
      if (body.input === 'bad') throw new Error('unforeseen');
      return { outputJson: text(1) };
    });
    const [bad, good] = [queue.submit('bad'), queue.submit('good')];
    const served = serve.serve();
    expect(await bad.ended).toMatchObject({ error: expect.stringContaining('unforeseen') });
    expect(await good.ended).toEqual({ outputJson: text(1) });
    serve.stop();
    await served;
    expect(log.events.some(({ level }) => level === 'error')).toBe(true);
  });

  it('gives a stopped job no result, and frees its place', async () => {
    const { queue, serve } = setUp(({ body, stop }) =>
      body.input === 'long'
        ? new Promise((resolve) => stop.addEventListener('abort', () => resolve({ error: 'cancelled' })))
        : Promise.resolve({}),
    );
    const long = queue.submit('long');
    const next = queue.submit('next');
    const served = serve.serve();
    await wait(5);
    long.stop();
    expect(await long.ended).toBeUndefined();
    expect(await next.ended).toEqual({});
    serve.stop();
    await served;
  });

  it('does not start a job that was stopped before', async () => {
    let runs = 0;
    const { queue, serve } = setUp(async () => {
      runs++;
      return {};
    });
    const job = queue.submit(1);
    job.stop();
    const served = serve.serve();
    expect(await job.ended).toBeUndefined();
    serve.stop();
    await served;
    expect(runs).toBe(0);
  });

  it('passes on log, progress and chunks while the job is at work', async () => {
    const { queue, serve } = setUp(async (_, listeners = {}) => {
      listeners.onEvent?.({ kind: 'system', line: 'installing' });
      listeners.onEvent?.({ kind: 'output', text: 'hello' });
      listeners.onProgress?.(text(0.5));
      await listeners.onChunk?.(text('piece'));
      return {};
    });
    const job = queue.submit(1);
    const served = serve.serve();
    await job.ended;
    serve.stop();
    await served;
    expect(job).toMatchObject({ log: 'installing\nhello', progress: [0.5], chunks: ['piece'] });
  });

  it('finishes what is in flight when it is asked to end, and takes nothing more', async () => {
    const { queue, serve } = setUp(async () => {
      await wait(20);
      return {};
    });
    const [first, second] = [queue.submit(1), queue.submit(2)];
    const served = serve.serve();
    await wait(5);
    serve.stop();
    await served;
    expect([first.ends, second.ends]).toEqual([1, 0]);
  });

  it('can give the jobs in flight back', async () => {
    const { queue, serve } = setUp(
      ({ stop }) =>
        new Promise((resolve) => stop.addEventListener('abort', () => resolve({ error: 'cancelled' }))),
    );
    const job = queue.submit(1);
    const served = serve.serve();
    await wait(5);
    serve.stop();
    serve.abandonJobs();
    await served;
    expect(await job.ended).toBeUndefined();
  });

  it('ends after a job that asks for a fresh worker', async () => {
    const { queue, serve } = setUp(async ({ body }) => ({ refreshWorker: body.input === 'last' }));
    const jobs = ['first', 'last', 'never'].map((input) => queue.submit(input));
    expect(await serve.serve()).toEqual({ reason: 'refresh', jobId: jobs[1]?.id });
    expect(jobs.map(({ ends }) => ends)).toEqual([1, 1, 0]);
  });

  it('goes on after such a job where the worker can be replaced behind it', async () => {
    const refreshed: string[] = [];
    const { queue, serve } = setUp(async ({ body }) => ({ refreshWorker: body.input === 'second' }), {
      onRefresh: (jobId: string) => refreshed.push(jobId),
    });
    const jobs = ['first', 'second', 'third'].map((input) => queue.submit(input));
    const served = serve.serve();
    await Promise.all(jobs.map(({ ended }) => ended));
    expect(refreshed).toEqual([jobs[1]?.id]);
    serve.stop();
    expect(await served).toEqual({ reason: 'asked' });
  });

  it('ends when job after job fails for the worker’s own reasons, and only then', async () => {
    const { queue, serve } = setUp(
      async ({ body }) =>
        body.input === 'ours' ? { error: 'no Python', isWorkerFault: true } : { error: 'theirs' },
      { maxConsecutiveFailures: 2 },
    );
    const jobs = ['ours', 'theirs', 'ours', 'ours', 'never'].map((input) => queue.submit(input));
    expect(await serve.serve()).toEqual({ reason: 'failing', failures: 2, error: 'no Python' });
    expect(jobs.map(({ ends }) => ends)).toEqual([1, 1, 1, 1, 0]);
  });

  it('ends when the queue will never give a job again', async () => {
    const { queue, serve } = setUp(async () => ({}));
    queue.failure = new Error('gone for good');
    expect(await serve.serve()).toEqual({ reason: 'queue', error: queue.failure });
  });
});
