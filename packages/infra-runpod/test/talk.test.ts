import type { Job } from '@flash/worker-core';
import { workerVersion } from '@flash/worker-core';
import { describe, expect, it } from '@jest/globals';
import { until } from '../../../scripts/lib/until.ts';
import {
  eachInItsSetting,
  inTurn,
  type Opened,
  type Platform,
  reply,
  type Setting,
  status,
} from './platform.ts';

const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('while a job is at work', () => {
  let setting: Setting;
  let platform: Platform;
  const open = (more: Record<string, string> = {}): Promise<Opened> => setting.open(more);
  const take = (opened: Opened, id?: string): Promise<Job> => setting.take(opened, id);
  eachInItsSetting((its) => {
    setting = its;
    platform = its.platform;
  });

  it('streams chunk by chunk, each numbered, each until it is taken', async () => {
    const one = await open();
    const job = await take(one);
    platform.answers.stream = inTurn(status(200, {}), status(500), status(200, {}));
    for (const chunk of ['a', { b: 1 }]) await one.queue.stream(job, json(chunk));
    const calls = platform.of('job-stream');
    expect(calls.map(({ body, headers }) => [body, headers['x-chunk-number']])).toEqual([
      ['{"output":"a"}', '0'],
      ['{"output":{"b":1}}', '1'],
      ['{"output":{"b":1}}', '1'],
    ]);
    expect(calls[0]?.query.get('isStream')).toBe('false');
  });

  it('rejects a chunk that can’t be delivered, naming the status', async () => {
    const one = await open({ FLASH_STREAM_ATTEMPTS: '2' });
    const job = await take(one);
    platform.answers.stream = status(500);
    await expect(one.queue.stream(job, json(1))).rejects.toThrow('500');
    expect(platform.of('job-stream')).toHaveLength(2);
    platform.answers.stream = status(413);
    await expect(one.queue.stream(job, json(1))).rejects.toThrow('413');
    expect(platform.of('job-stream')).toHaveLength(3);
  });

  it('coalesces progress, sends none after the result, and has none under way then', async () => {
    const one = await open({ FLASH_PROGRESS_INTERVAL_MS: '20' });
    const job = await take(one);
    let underWay = 0;
    let atResult = -1;
    platform.answers.done = (call, response) => {
      if (!call.body.includes('IN_PROGRESS')) atResult = underWay;
      else underWay++;
      setTimeout(() => {
        if (call.body.includes('IN_PROGRESS')) underWay--;
        reply(response, 200, {});
      }, 30);
    };
    for (let count = 0; count < 1000 || platform.results.length < 3; count++) {
      one.queue.progress(job, json(count));
      if (count % 100 === 0) await wait(10);
    }
    await one.queue.finish(job, { outputJson: json('end') });
    one.queue.progress(job, json('late'));
    await wait(80);
    const bodies = platform.results;
    expect(bodies.at(-1)).toEqual({ output: 'end' });
    expect(atResult).toBe(0);
    expect(bodies[0]).toEqual({ status: 'IN_PROGRESS', output: 0 });
    expect(bodies.length).toBeGreaterThan(2);
    expect(bodies.length).toBeLessThan(100);
  });

  it('stops just the jobs that the stop channel names', async () => {
    let answer: ((body: unknown) => void) | undefined;
    platform.answers.stop = (_, response) => {
      answer = (body) => reply(response, 200, body);
    };
    const one = await open();
    const [a, b] = [await take(one, 'a'), await take(one, 'b')];
    await until(() => answer !== undefined);
    answer?.({ jobsToStop: ['a', 'unknown', 7, null] });
    await until(() => a.stop.aborted);
    expect(b.stop.aborted).toBe(false);
  });

  it.each([
    ['500', status(500)],
    ['429', status(429)],
    ['404', status(404)],
    ['no JSON', status(200, 'what?')],
    ['another shape', status(200, { jobsToStop: 'a' })],
  ])('goes on listening after the stop channel answered %s', async (_, failure) => {
    const one = await open({ FLASH_EMPTY_TAKE_MS: '10' });
    platform.answers.stop = inTurn(failure, status(200, { jobsToStop: ['a'] }), status(204));
    const job = await take(one, 'a');
    await until(() => job.stop.aborted);
  });

  it('pings at once and then in its interval, with the ids in progress', async () => {
    const one = await open({ RUNPOD_PING_INTERVAL: '30' });
    await until(() => platform.of('ping').length > 0);
    expect(platform.of('ping')[0]?.query.has('job_id')).toBe(false);
    expect(platform.of('ping')[0]?.query.get('runpod_version')).toBe(workerVersion);
    await take(one, 'a');
    await take(one, 'b');
    await until(() => platform.of('ping').at(-1)?.query.get('job_id') === 'a,b');
    expect(platform.of('ping')[0]?.path).toBe('/v2/ep/ping/w1');
  });

  it('names a job whose result is not acknowledged in its pings, and no job that was let go', async () => {
    const one = await open({ RUNPOD_PING_INTERVAL: '20' });
    platform.answers.done = status(500);
    await one.queue.finish(await take(one, 'a'), { outputJson: json(1) });
    one.queue.abandon(await take(one, 'b'));
    platform.calls.length = 0;
    await until(() => platform.of('ping').length > 1);
    expect(platform.of('ping').at(-1)?.query.get('job_id')).toBe('a');
  });

  it('tries a ping again on 429 and 5xx, not on other statuses', async () => {
    platform.answers.ping = inTurn(status(500), status(429), status(200, {}));
    await open();
    await until(() => platform.of('ping').length === 3);
    platform.answers.ping = status(404);
    platform.calls.length = 0;
    const other = await open({ workerId: 'w2' });
    await until(() => other.log.messages.includes('a heartbeat was not taken'));
    expect(platform.of('ping')).toHaveLength(1);
    await wait(3000);
    expect(other.metrics.now('flash_heartbeat_age_seconds')).toBeGreaterThanOrEqual(2.9);
    platform.answers.ping = status(200, {});
    await other.queue.reportUnhealthy('gpu', 'gone');
    expect(other.metrics.now('flash_heartbeat_age_seconds')).toBeLessThan(2.9);
  });

  it('says that it is not healthy, with a reason of 256 characters', async () => {
    const { queue } = await open();
    await queue.reportUnhealthy('gpu', 'x'.repeat(1000));
    const { query } = platform.of('ping').at(-1) ?? {};
    expect([query?.get('status'), query?.get('check'), query?.get('reason')?.length]).toEqual([
      'unhealthy',
      'gpu',
      256,
    ]);
  });

  it('aborts a pending take', async () => {
    // It is answered by nothing else before this test's own time-out.
    const { queue } = await open({ FLASH_TAKE_TIMEOUT_MS: '600000' });
    const stop = new AbortController();
    const taking = queue.take(1, stop.signal);
    await until(() => platform.of('job-take').length === 1);
    stop.abort(new Error('enough'));
    await expect(taking).rejects.toThrow('enough');
  });
});
