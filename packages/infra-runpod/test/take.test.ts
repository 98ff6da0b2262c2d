import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Job } from '@flash/worker-core';
import { describe, expect, it } from '@jest/globals';
import { until } from '../../../scripts/lib/until.ts';
import type { RunpodJobQueue } from '../src/index.ts';
import {
  drop,
  eachInItsSetting,
  inTurn,
  key,
  never,
  type Opened,
  openQueue,
  Platform,
  type Setting,
  status,
} from './platform.ts';

const signal = new AbortController().signal;

describe('taking jobs', () => {
  let setting: Setting;
  let platform: Platform;
  const open = (more: Record<string, string> = {}): Promise<Opened> => setting.open(more);
  const takeSome = async (queue: RunpodJobQueue, wanted = 1): Promise<readonly Job[]> => {
    for (;;) {
      const jobs = await queue.take(wanted, signal);
      if (jobs.length > 0) return jobs;
    }
  };
  eachInItsSetting((its) => {
    setting = its;
    platform = its.platform;
  });

  it('asks as the platform wants it: worker id, busy flag, raw key', async () => {
    platform.answers.take = inTurn(status(200, { id: 'a', input: 1 }), status(200, { id: 'b', input: 2 }));
    const { queue } = await open();
    await takeSome(queue);
    await takeSome(queue);
    const [first, second] = platform.of('job-take');
    expect([first?.path, first?.query.get('gpu'), first?.headers.authorization]).toEqual([
      '/v2/ep/job-take/w1',
      'none',
      key,
    ]);
    expect([first, second].map((call) => call?.query.get('job_in_progress'))).toEqual(['0', '1']);
  });

  it('takes a batch by the batch address, and keeps an array apart into jobs', async () => {
    platform.answers.take = status(200, [
      { id: 'a', input: { x: 'ä' } },
      { id: 'b', input: 2 },
    ]);
    const jobs = await takeSome((await open()).queue, 4);
    expect(platform.of('job-take-batch')[0]?.query.get('batch_size')).toBe('4');
    expect(jobs.map(({ id, bytes }) => [id, JSON.parse(Buffer.from(bytes).toString()).input])).toEqual([
      ['a', { x: 'ä' }],
      ['b', 2],
    ]);
  });

  it('has the text of each job as it came: large numbers, deep ones, behind a byte order mark', async () => {
    const deep = `{"id":"deep","input":${'{"z":'.repeat(40_000)}0${'}'.repeat(40_000)}}`;
    const large = '{ "id": "large", "input": 9007199254740993, "more": ["],[", 1.0] }';
    const text = (jobs: readonly Job[]): string[] =>
      jobs.map(({ bytes }) => Buffer.from(bytes).toString().trim());
    platform.answers.take = inTurn(
      status(200, `\ufeff[${large} , ${deep}]`),
      status(200, '\ufeff{"id":"marked","input":1}'),
      never,
    );
    const { queue } = await open();
    expect(text(await takeSome(queue, 2))).toEqual([large, deep]);
    expect(text(await takeSome(queue))).toEqual(['{"id":"marked","input":1}']);
  });

  it.each([
    ['204', status(204)],
    ['400, as a frozen worker hears it', status(400, { error: 'frozen' })],
    ['an empty 200', status(200)],
  ])('takes %s for "no job"', async (_, answer) => {
    platform.answers.take = answer;
    const { queue, log } = await open();
    expect(await queue.take(1, signal)).toEqual([]);
    expect(log.events.filter(({ level }) => level !== 'debug')).toEqual([]);
  });

  it('does not ask in a busy loop when the answer is always "nothing" at once', async () => {
    platform.answers.take = status(204);
    platform.answers.stop = status(204);
    const { queue } = await open();
    for (const end = Date.now() + 2000; Date.now() < end; ) await queue.take(1, signal);
    expect(platform.of('job-take').length).toBeLessThanOrEqual(10);
    expect(platform.of('job-stop').length).toBeLessThanOrEqual(10);
  });

  it('does so also when several takes are open', async () => {
    platform.answers.take = status(204);
    const { queue } = await open();
    const end = Date.now() + 1500;
    const asking = async (): Promise<void> => {
      while (Date.now() < end) await queue.take(1, signal);
    };
    await Promise.all([asking(), asking(), asking(), asking()]);
    expect(platform.of('job-take').length).toBeLessThanOrEqual(12);
  });

  it('asks at once again after a poll that was held open, and after a job', async () => {
    platform.answers.take = inTurn(
      (_, response) => setTimeout(() => response.writeHead(204).end(), 3100),
      status(200, { id: 'a', input: 1 }),
      status(200, { id: 'b', input: 1 }),
    );
    const { queue } = await open({ FLASH_EMPTY_TAKE_MS: '3000' });
    await queue.take(1, signal);
    const startedAt = performance.now();
    await queue.take(1, signal);
    await queue.take(1, signal);
    expect(performance.now() - startedAt).toBeLessThan(2500);
  });

  it('ends a poll that takes longer than its time, and takes that for "no job"', async () => {
    platform.answers.take = never;
    const { queue } = await open({ FLASH_TAKE_TIMEOUT_MS: '50' });
    expect(await queue.take(1, signal)).toEqual([]);
  });

  it.each([
    ['500', status(500, 'oops'), '500'],
    ['401', status(401), '401'],
    ['a dropped connection', drop, 'network'],
    ['a text that is no JSON', status(200, 'not json'), 'network'],
  ])('goes on after %s', async (_, failure, label) => {
    platform.answers.take = inTurn(failure, failure, status(200, { id: 'a', input: 1 }));
    const { queue, log, metrics } = await open();
    const [job] = await takeSome(queue);
    expect(job?.id).toBe('a');
    expect(log.messages).toContain('no job could be taken; trying again');
    expect(metrics.counts).toEqual({ [`flash_take_errors_total ${label}`]: 2 });
  });

  it('pauses after 429', async () => {
    platform.answers.take = inTurn(status(429), status(200, { id: 'a', input: 1 }));
    await takeSome((await open()).queue);
    const [first, second] = platform.of('job-take');
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(99);
  });

  it('waits longer and longer between failures, up to a bound', async () => {
    platform.answers.take = status(503);
    const { queue } = await open({ FLASH_RETRY_MIN_MS: '50', FLASH_RETRY_MAX_MS: '800' });
    const stop = new AbortController();
    const taking = queue.take(1, stop.signal).catch(() => {});
    await until(() => platform.of('job-take').length >= 7);
    stop.abort();
    await taking;
    const at = platform.of('job-take').map((call) => call.at);
    const pauses = at.slice(1).map((time, index) => time - (at[index] ?? 0));
    expect(pauses[5]).toBeGreaterThan((pauses[0] ?? 0) * 2);
    // Without the bound the last of them has at least 1600 ms.
    expect(Math.max(...pauses)).toBeLessThan(1600);
  });

  it('drops what is no job or has no id, and hands over one that lacks its input', async () => {
    platform.answers.take = inTurn(
      status(200, { input: 1 }),
      status(200, [null, 'text', { id: 7, input: 1 }, { id: 'x' }]),
    );
    const { queue, log } = await open();
    const jobs = await takeSome(queue, 4);
    expect(jobs.map(({ id, body }) => [id, body.input])).toEqual([['x', undefined]]);
    expect(log.events.filter(({ level }) => level === 'error')).toHaveLength(4);
  });

  it('hands a job over once, however often it is delivered', async () => {
    platform.answers.take = status(200, { id: 'same', input: 1 });
    const { queue } = await open();
    const [job] = await takeSome(queue);
    expect(await queue.take(1, signal)).toEqual([]);
    await queue.finish(job as Job, { outputJson: Buffer.from('1') });
    expect(await queue.take(1, signal)).toEqual([]);
    expect(platform.of('job-done')).toHaveLength(1);
  });

  it('takes a job again when its result is long past: it is to run once more', async () => {
    platform.answers.take = status(200, { id: 'same', input: 1 });
    const { queue } = await open({ FLASH_DUPLICATE_WINDOW_MS: '30' });
    const [job] = await takeSome(queue);
    await queue.finish(job as Job, {});
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await queue.take(1, signal)).toHaveLength(1);
  });

  it('reads the job’s own time-out, and ignores one that makes no sense', async () => {
    platform.answers.take = inTurn(
      status(200, { id: 'a', input: 1, policy: { executionTimeout: 1500 } }),
      status(200, { id: 'b', input: 1, policy: { executionTimeout: 'soon' } }),
    );
    const { queue } = await open();
    expect((await takeSome(queue))[0]?.executionTimeoutMs).toBe(1500);
    expect((await takeSome(queue))[0]?.executionTimeoutMs).toBeUndefined();
  });

  it('keeps the folder of each worker apart', async () => {
    const { stateDirectory } = await open({ workerId: '../../etc' });
    const [folder] = await readdir(stateDirectory);
    expect(folder).toMatch(/^worker-[A-Za-z0-9_-]+$/);
    expect(await readdir(join(stateDirectory, '..'))).not.toContain('etc');
  });
});

describe('settings of the queue', () => {
  it.each([
    ['RUNPOD_WEBHOOK_GET_JOB', 'not a url'],
    ['RUNPOD_WEBHOOK_GET_JOB', 'ftp://host/$ID'],
    ['RUNPOD_WEBHOOK_POST_OUTPUT', 'http://host/without-a-job'],
    ['RUNPOD_WEBHOOK_POST_STREAM', ':::'],
    ['RUNPOD_WEBHOOK_PING', 'host/ping'],
  ])('refuses %s=%s, naming it and not showing it', async (name, value) => {
    const platform = await new Platform().open();
    const opening = openQueue(platform, { [name]: value });
    await expect(opening).rejects.toMatchObject({ code: 'SETTINGS', message: expect.stringContaining(name) });
    await expect(opening).rejects.not.toMatchObject({ message: expect.stringContaining(value) });
    await platform.close();
  });

  it('says so when the state directory can’t be used', async () => {
    const platform = await new Platform().open();
    await expect(openQueue(platform, { stateDirectory: '/dev/null/nowhere' })).rejects.toMatchObject({
      code: 'SETTINGS',
      message: expect.stringContaining('FLASH_STATE_DIR'),
    });
    await platform.close();
  });
});
