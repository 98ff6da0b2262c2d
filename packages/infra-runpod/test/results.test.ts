import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Job } from '@flash/worker-core';
import { describe, expect, it } from '@jest/globals';
import { until } from '../../../scripts/lib/until.ts';
import {
  drop,
  eachInItsSetting,
  inTurn,
  key,
  type Opened,
  type Platform,
  reply,
  type Setting,
  status,
} from './platform.ts';

const signal = new AbortController().signal;
const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

describe('results', () => {
  let setting: Setting;
  let platform: Platform;
  const open = (more: Record<string, string> = {}): Promise<Opened> => setting.open(more);
  const take = (opened: Opened, id?: string): Promise<Job> => setting.take(opened, id);
  const stored = async ({ stateDirectory }: Opened, workerId = 'w1'): Promise<string[]> =>
    (await readdir(join(stateDirectory, `worker-${workerId}`), { recursive: true })).filter((name) =>
      name.endsWith('.result'),
    );
  eachInItsSetting((its) => {
    setting = its;
    platform = its.platform;
  });

  it('posts them as the platform wants it', async () => {
    const one = await open();
    await one.queue.finish(await take(one, 'j1'), { outputJson: json({ ü: 1 }) });
    const [call] = platform.of('job-done');
    expect(call).toMatchObject({ method: 'POST', path: '/v2/ep/job-done/w1/j1', body: '{"output":{"ü":1}}' });
    expect([call?.query.get('isStream'), call?.query.get('gpu')]).toEqual(['false', 'none']);
    expect(call?.headers).toMatchObject({
      'content-type': 'application/x-www-form-urlencoded',
      charset: 'utf-8',
      'x-request-id': 'j1',
      authorization: key,
    });
  });

  it('reports error, stopPod and stream as the platform wants it', async () => {
    const one = await open();
    await one.queue.finish(await take(one, 'a'), { error: 'no', refreshWorker: true });
    await one.queue.finish(await take(one, 'b'), { outputJson: json([]), error: 'x', isStream: true });
    expect(platform.results).toEqual([
      { error: 'no', stopPod: true },
      { output: [], error: 'x' },
    ]);
    expect(platform.of('job-done')[1]?.query.get('isStream')).toBe('true');
  });

  it('takes any job id: unicode, slashes, dollar signs', async () => {
    const one = await open();
    const id = 'jöb/😀 $ID $& ?#%';
    await one.queue.finish(await take(one, id), { outputJson: json(1) });
    expect(platform.of('job-done')[0]?.path).toBe(`/v2/ep/job-done/w1/${id}`);
  });

  it('has a result on disk before its first post, and removes it when it is acknowledged', async () => {
    const one = await open();
    const job = await take(one, 'j1');
    let onDisk: string[] = [];
    platform.answers.done = (_, response) => {
      void stored(one).then((names) => {
        onDisk = names;
        reply(response, 200, {});
      });
    };
    await one.queue.finish(job, { outputJson: json(1) });
    expect(onDisk).toHaveLength(1);
    expect(await stored(one)).toEqual([]);
  });

  it('posts again what could not be posted, while other jobs go on', async () => {
    const one = await open();
    platform.answers.done = inTurn(status(500), drop, status(503), status(429), status(200, {}));
    await one.queue.finish(await take(one, 'slow'), { outputJson: json('slow') });
    platform.answers.take = status(200, { id: 'next', input: 1 });
    const [next] = await one.queue.take(1, signal);
    expect(next?.id).toBe('next');
    await until(() => platform.of('job-done').length === 5);
    await until(() => one.log.messages.length > 0);
    expect(new Set(platform.results.map(({ output }) => output))).toEqual(new Set(['slow']));
    await one.queue.finish(next as Job, { outputJson: json('next') });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(platform.results.filter(({ output }) => output === 'slow')).toHaveLength(5);
    await until(async () => (await stored(one)).length === 0);
  });

  it('posts what an earlier process has left, also files that did not get their name', async () => {
    platform.answers.done = status(500);
    const first = await open();
    for (const id of ['a', 'b', 'c'])
      await first.queue.finish(await take(first, id), { outputJson: json(id), isStream: id === 'b' });
    await setting.leave(first);
    const folder = join(first.stateDirectory, 'worker-w1');
    const names = await stored(first);
    expect(names).toHaveLength(3);
    // A power cut took the name of one file, and left a beginning of another.
    const last = names.at(-1) as string;
    const content = await readFile(join(folder, last));
    await writeFile(join(folder, 'spare-1-0.new'), content);
    await rm(join(folder, last));
    await writeFile(join(folder, 'spare-1-1.new'), content.subarray(0, -2));
    platform.calls.length = 0;
    platform.answers.done = status(200, {});
    const second = await open({ stateDirectory: first.stateDirectory });
    await until(() => platform.of('job-done').length === 3);
    expect(
      platform
        .of('job-done')
        .map(({ path, query }) => [path.at(-1), query.get('isStream')])
        .sort(),
    ).toEqual([
      ['a', 'false'],
      ['b', 'true'],
      ['c', 'false'],
    ]);
    await until(async () => (await stored(second)).length === 0);
  });

  it('does not run a job again whose result waits, and leaves results of other workers alone', async () => {
    platform.answers.done = status(500);
    const first = await open();
    await first.queue.finish(await take(first, 'a'), { outputJson: json(1) });
    platform.answers.take = inTurn(status(200, { id: 'a', input: 1 }), status(204));
    expect(await first.queue.take(1, signal)).toEqual([]);
    await setting.leave(first);
    platform.calls.length = 0;
    await open({ stateDirectory: first.stateDirectory, workerId: 'w2' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(platform.of('job-done')).toEqual([]);
    expect(await stored(first)).toHaveLength(1);
  });

  it('reports an error in place of a result that is refused for good', async () => {
    const one = await open();
    platform.answers.done = (call, response) =>
      call.body.length > 200 ? reply(response, 400, { error: 'too big' }) : reply(response, 200, {});
    await one.queue.finish(await take(one, 'sync-1-e1'), { outputJson: json('x'.repeat(500)) });
    await until(() => platform.of('job-done').length === 2);
    expect(platform.results[1]).toEqual({
      error: expect.stringMatching(/status 400 .*too big.*513 bytes.*20971520/s),
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(platform.of('job-done')).toHaveLength(2);
    await until(async () => (await stored(one)).length === 0);
  });

  it('gives up when even the error is refused, and says so', async () => {
    const one = await open();
    platform.answers.done = status(404);
    await one.queue.finish(await take(one, 'a'), { outputJson: json(1) });
    await until(() => one.log.messages.includes('the platform takes no result of this job'));
    expect(platform.of('job-done')).toHaveLength(2);
  });

  it('keeps a result while the key is refused: it may be in order again', async () => {
    const one = await open();
    platform.answers.done = inTurn(status(401), status(403), status(200, {}));
    await one.queue.finish(await take(one, 'a'), { outputJson: json(1) });
    await until(() => platform.of('job-done').length === 3);
    expect(platform.results[2]).toEqual({ output: 1 });
  });

  it.each([
    ['sync-1-e1', 20, 20 * 1024 * 1024],
    ['0b1-u2', 10, 10 * 1024 * 1024],
  ])('does not even try a result over the limit that the id %s tells', async (id, _, limit) => {
    const one = await open();
    await one.queue.finish(await take(one, id), { outputJson: json('x'.repeat(limit)) });
    expect(platform.results).toEqual([{ error: expect.stringContaining(`the platform takes ${limit}`) }]);
    await one.queue.finish(await take(one, `${id.slice(0, -1)}9`), {
      outputJson: json('x'.repeat(limit - 100)),
    });
    expect(platform.results[1]).toHaveProperty('output');
  });

  it('has a limit that can be set, and none for ids that tell nothing', async () => {
    const one = await open({ FLASH_MAX_RESULT_BYTES: '100' });
    await one.queue.finish(await take(one, 'a'), { outputJson: json('x'.repeat(100)), error: 'own' });
    expect(platform.results[0]?.error).toMatch(/^own\nthe result has \d+ bytes/);
    const other = await open();
    await other.queue.finish(await take(other, 'plain'), { outputJson: json('x'.repeat(25 * 1024 * 1024)) });
    expect(platform.results.at(-1)).toHaveProperty('output');
  });

  it('takes no job while the outbox is full, and keeps what is older', async () => {
    const one = await open({ FLASH_OUTBOX_MAX_RESULTS: '1' });
    platform.answers.done = status(500);
    await one.queue.finish(await take(one, 'a'), { outputJson: json('a') });
    const before = platform.of('job-take').length;
    platform.answers.take = status(200, { id: 'b', input: 1 });
    const taking = one.queue.take(1, signal);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(platform.of('job-take')).toHaveLength(before);
    expect(await stored(one)).toHaveLength(1);
    expect(one.metrics.now('flash_outbox_results')).toBe(1);
    expect(one.metrics.now('flash_outbox_oldest_seconds')).toBeGreaterThanOrEqual(0.09);
    platform.answers.done = status(200, {});
    expect((await taking)[0]?.id).toBe('b');
  });

  it('posts a result that found no place on disk all the same', async () => {
    const one = await open({ FLASH_OUTBOX_MAX_BYTES: '10' });
    platform.answers.done = inTurn(status(500), status(500), status(200, {}));
    await one.queue.finish(await take(one, 'a'), { outputJson: json('a') });
    expect(one.log.messages).toContain('a result is not kept on disk: the outbox is full');
    await until(() => platform.of('job-done').length === 3);
    expect(platform.results[2]).toEqual({ output: 'a' });
  });

  it('leaves nothing on disk when nothing waits', async () => {
    const one = await open();
    await one.queue.finish(await take(one, 'a'), { outputJson: json(1) });
    expect(one.metrics.now('flash_outbox_results')).toBe(0);
    expect(one.metrics.now('flash_outbox_oldest_seconds')).toBe(0);
    await setting.leave(one);
    expect(await readdir(one.stateDirectory)).toEqual([]);
  });

  it('shows no key in logs and errors', async () => {
    const one = await open();
    platform.answers.done = inTurn(status(500, `you sent ${key}`), status(200, {}));
    platform.answers.take = inTurn(status(500, `you sent ${key}`), status(200, { id: 'a', input: 1 }));
    const [job] = await one.queue.take(1, signal);
    await one.queue.finish(job as Job, { outputJson: json(1) });
    await until(() => platform.of('job-done').length === 2);
    expect(one.log.events.length).toBeGreaterThan(1);
    expect(JSON.stringify(one.log.events)).not.toContain(key);
  });
});
