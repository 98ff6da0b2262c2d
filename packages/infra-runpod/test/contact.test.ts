import { describe, expect, it } from '@jest/globals';
import { until } from '../../../scripts/lib/until.ts';
import { PlatformContact } from '../src/platform-contact.ts';
import { drop, eachInItsSetting, inTurn, type Platform, reply, type Setting, status } from './platform.ts';

const signal = new AbortController().signal;
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

describe('what waits for the platform to be back', () => {
  let setting: Setting;
  let platform: Platform;
  eachInItsSetting((its) => {
    setting = its;
    platform = its.platform;
  });
  /** Pauses that are over 4 s after eleven failures in the background; no heartbeat comes by itself. */
  const slow = { FLASH_RETRY_MIN_MS: '4', FLASH_RETRY_MAX_MS: '50000', RUNPOD_PING_INTERVAL: '60000' };
  const posts = (): number => platform.of('job-done').length;

  it('is a result that goes out when a take succeeds, after twelve posts that failed', async () => {
    const one = await setting.open(slow);
    const job = await setting.take(one, 'kept');
    platform.answers.done = drop;
    await one.queue.finish(job, { outputJson: json('at last') });
    await until(() => posts() >= 12);
    delete platform.answers.done;
    await wait(50);
    const before = posts();
    const startedAt = performance.now();
    await setting.take(one, 'next');
    await until(() => posts() > before);
    expect(performance.now() - startedAt).toBeLessThan(3000);
    await until(() => one.log.messages.length > 0);
  });

  it('are all of them at once, when one of them is the first to succeed', async () => {
    const one = await setting.open(slow);
    const jobs = [];
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) jobs.push(await setting.take(one, id));
    let isDown = true;
    platform.answers.done = (_, response) => (isDown ? reply(response, 503) : reply(response, 200, {}));
    await Promise.all(jobs.map((job) => one.queue.finish(job, { outputJson: json(job.id) })));
    await until(() => posts() >= 6 * 12);
    isDown = false;
    platform.calls.length = 0;
    await until(() => posts() >= 1);
    const startedAt = performance.now();
    await until(() => posts() === 6);
    // By themselves they would be strewn over more than 4 s.
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });

  it('is a chunk, a take and a heartbeat just as well', async () => {
    const one = await setting.open({ ...slow, FLASH_STREAM_ATTEMPTS: '50' });
    const [job, other] = [await setting.take(one, 'chunky'), await setting.take(one, 'other')];
    platform.answers.stream = drop;
    platform.answers.take = drop;
    const chunk = one.queue.stream(job, json(1));
    const taken = one.queue.take(1, signal);
    await until(() => platform.of('job-stream').length >= 11 && platform.of('job-take').length >= 11);
    platform.answers.take = status(200, { id: 'new', input: 1 });
    platform.answers.stream = status(200, {});
    await wait(30);
    const startedAt = performance.now();
    await one.queue.finish(other, { outputJson: json(2) });
    await chunk;
    expect(await taken).toHaveLength(1);
    expect(performance.now() - startedAt).toBeLessThan(3000);
  });

  it('is not tried at every call that succeeds when it goes on failing', async () => {
    const one = await setting.open({ ...slow, FLASH_RETRY_MIN_MS: '10', FLASH_EMPTY_TAKE_MS: '5' });
    const job = await setting.take(one, 'refused');
    platform.answers.done = status(500);
    await one.queue.finish(job, { outputJson: json(1) });
    platform.answers.take = status(200, { id: 'busy', input: 1 });
    // A queue that gives the same job again and again is asked without a pause.
    const end = new AbortController();
    const taking = (async () => {
      while (!end.signal.aborted) await one.queue.take(1, end.signal).catch(() => {});
    })();
    await until(() => platform.of('job-take').length > 100 && posts() > 3);
    end.abort();
    await taking;
    expect(posts()).toBeLessThan(platform.of('job-take').length / 4);
    platform.answers.done = inTurn(status(200, {}));
  });
});

describe('PlatformContact', () => {
  it('cuts a pause short, though not below its least', async () => {
    const contact = new PlatformContact();
    const startedAt = performance.now();
    const pause = contact.pause(30_000, 120);
    contact.noteSuccess();
    expect(await pause).toBe(true);
    expect(performance.now() - startedAt).toBeGreaterThan(100);
    expect(await contact.pause(20, 10)).toBe(false);
    const later = contact.pause(30_000, 0);
    setTimeout(() => contact.noteSuccess(), 30);
    expect(await later).toBe(true);
  });

  it('ends a pause with its signal', async () => {
    const abort = new AbortController();
    const pauses = [0, 20_000].map((leastMs) => new PlatformContact().pause(30_000, leastMs, abort.signal));
    setTimeout(() => abort.abort(new Error('enough')), 20);
    for (const pause of pauses) await expect(pause).rejects.toThrow();
  });
});
