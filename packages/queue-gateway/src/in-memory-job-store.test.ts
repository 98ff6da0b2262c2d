import { describe, expect, it, jest } from '@jest/globals';
import { InMemoryJobStore, type InMemoryJobStoreOptions } from './in-memory-job-store.ts';
import type { Lease, TakeRequest } from './job-store.ts';

const input = new TextEncoder().encode('{"input":1}');
const limits = {
  maxQueued: 3,
  maxHistory: 2,
  maxHistoryBytes: 1000,
  maxLogBytes: 10,
  maxStreamBytes: 10,
  maxDeliveries: 2,
};
const store = (options: Partial<InMemoryJobStoreOptions> = {}): InMemoryJobStore =>
  new InMemoryJobStore({ ...limits, ...options });
const signal = new AbortController().signal;
const one = { workerId: 'w', wanted: 1, signal };
async function takeOne(jobs: InMemoryJobStore, more: Partial<TakeRequest> = {}): Promise<Lease> {
  return (await jobs.take({ ...one, ...more }))[0] as Lease;
}
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('InMemoryJobStore', () => {
  it('hands out jobs in the order they came, also to who waited before', async () => {
    const jobs = store();
    const early = takeOne(jobs);
    const first = await jobs.submit('e', input, {});
    const second = await jobs.submit('e', input, {});
    expect((await early).record.id).toBe(first.id);
    expect((await takeOne(jobs)).record).toBe(second);
    expect(second.status).toBe('IN_PROGRESS');
  });

  it('refuses what does not fit into the queue', async () => {
    const jobs = store();
    for (let count = 0; count < 3; count++) await jobs.submit('e', input, {});
    await expect(jobs.submit('e', input, {})).rejects.toMatchObject({
      code: 'QUEUE_FULL',
      message: expect.stringMatching(/3 jobs are waiting.*FLASH_GATEWAY_MAX_QUEUED/),
    });
    expect(await jobs.purge('e')).toBe(3);
    await jobs.submit('e', input, {});
  });

  it('forgets the oldest ended jobs, by number and by size', async () => {
    const jobs = store();
    const ids: string[] = [];
    for (let count = 0; count < 3; count++) {
      ids.push((await jobs.submit('e', input, {})).id);
      const { record } = await takeOne(jobs);
      await jobs.finish(record.id, { outputJson: new Uint8Array(count === 2 ? 990 : 1) });
    }
    const found = await Promise.all(ids.map((id) => jobs.find('e', id)));
    expect(found.map((record) => record?.status)).toEqual([undefined, undefined, 'COMPLETED']);
  });

  it('keeps a result once: what comes after the end is ignored', async () => {
    const ended: string[] = [];
    const jobs = store({ onEnd: ({ status }) => ended.push(status) });
    const job = await jobs.submit('e', input, {});
    const { stop } = await takeOne(jobs);
    await jobs.cancel(job);
    await jobs.finish(job.id, { error: 'late' });
    await jobs.cancel(job);
    expect([job.status, job.error, stop.aborted, ended]).toEqual([
      'CANCELLED',
      undefined,
      true,
      ['CANCELLED'],
    ]);
  });

  it('ends a job that waits or runs for too long', async () => {
    const jobs = store();
    const waiting = await jobs.submit('e', input, { ttlMs: 20 });
    await wait(40);
    expect(waiting).toMatchObject({ status: 'TIMED_OUT', error: expect.stringContaining('policy.ttl') });
    const running = await jobs.submit('e', input, { executionTimeoutMs: 20 });
    const { record, stop } = await takeOne(jobs);
    expect(record).toBe(running);
    await wait(40);
    expect([running.status, stop.aborted]).toEqual(['TIMED_OUT', true]);
  });

  it('waits for the end, but not for longer than asked', async () => {
    const jobs = store();
    const job = await jobs.submit('e', input, {});
    await jobs.waitForEnd(job, 10);
    expect(job.status).toBe('IN_QUEUE');
    const end = jobs.waitForEnd(job, 10_000);
    await jobs.cancel(job);
    await end;
  });

  it('bounds the log of a job, and says so', async () => {
    const jobs = store();
    const job = await jobs.submit('e', input, {});
    for (const text of ['12345', '67890', 'abc', 'def']) jobs.appendLog(job.id, text);
    expect(job.log.join('')).toBe(
      '1234567890\n[… further log of this job is not kept; the bound is FLASH_GATEWAY_LOG_BYTES …]\n',
    );
  });

  it('lets a taker leave', async () => {
    const jobs = store();
    const leaving = new AbortController();
    const take = jobs.take({ ...one, signal: leaving.signal });
    leaving.abort(new Error('gone'));
    await expect(take).rejects.toThrow('gone');
    const job = await jobs.submit('e', input, {});
    expect(job.status).toBe('IN_QUEUE');
  });

  it('keeps endpoints apart', async () => {
    const jobs = store();
    const { id } = await jobs.submit('one', input, {});
    expect(await jobs.find('two', id)).toBeUndefined();
    expect([(await jobs.count('one')).inQueue, (await jobs.count('two')).inQueue]).toEqual([1, 0]);
  });

  it('gives several jobs at once, of one endpoint', async () => {
    const jobs = store();
    for (const endpoint of ['a', 'b', 'a']) await jobs.submit(endpoint, input, {});
    const leases = await jobs.take({ ...one, endpoint: 'a', wanted: 5 });
    expect(leases.map(({ record }) => record.endpoint)).toEqual(['a', 'a']);
  });

  it('gives a job to another worker when its own is lost, and gives it up in the end', async () => {
    const jobs = store();
    const job = await jobs.submit('e', input, {});
    await takeOne(jobs, { leaseMs: 30 });
    expect((await takeOne(jobs, { workerId: 'other', leaseMs: 30 })).record).toBe(job);
    expect([job.workerId, job.deliveries]).toEqual(['other', 2]);
    await jobs.waitForEnd(job, 60_000);
    expect(job).toMatchObject({ status: 'FAILED', error: expect.stringContaining('lost 2 times') });
  });

  it('leaves a job with a worker that is heard of', async () => {
    // A machine that is busy for longer than a lease must not decide about this.
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] });
    try {
      const jobs = store();
      const job = await jobs.submit('e', input, {});
      await takeOne(jobs, { leaseMs: 60 });
      for (let count = 0; count < 5; count++) {
        jest.advanceTimersByTime(59);
        jobs.renew('w', [job.id]);
      }
      expect([job.status, job.deliveries]).toEqual(['IN_PROGRESS', 1]);
      jest.advanceTimersByTime(60);
      expect(job.status).toBe('IN_QUEUE');
    } finally {
      jest.useRealTimers();
    }
  });

  it('tells the worker that has it to stop a cancelled job, once', async () => {
    const jobs = store();
    const job = await jobs.submit('e', input, {});
    await takeOne(jobs, { leaseMs: 60_000 });
    const stops = jobs.stops('w', signal);
    await jobs.cancel(job);
    expect(await stops).toEqual([job.id]);
    expect(await jobs.stops('w', AbortSignal.timeout(10))).toEqual([]);
  });

  it('keeps a chunk once, and makes the worker wait for a client that does not fetch', async () => {
    const jobs = store();
    const job = await jobs.submit('e', input, {});
    await takeOne(jobs);
    const chunk = new TextEncoder().encode('123456');
    expect([jobs.appendChunk(job.id, chunk, 0), jobs.appendChunk(job.id, chunk, 0)]).toEqual([true, true]);
    expect(job.stream).toHaveLength(1);
    expect(jobs.appendChunk(job.id, chunk, 1)).toBe(false);
  });

  it('counts what comes after the end', async () => {
    const jobs = store();
    const job = await jobs.submit('e', input, {});
    await takeOne(jobs);
    const result = { outputJson: new TextEncoder().encode('1') };
    await jobs.finish(job.id, result);
    await jobs.finish(job.id, result);
    await jobs.finish(job.id, { error: 'other' });
    jobs.progress(job.id, input);
    expect([job.late, job.status]).toEqual([{ same: 1, other: 1, progress: 1 }, 'COMPLETED']);
  });
});
