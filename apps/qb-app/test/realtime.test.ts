import { afterEach, describe, expect, it } from '@jest/globals';
import { add, live, Queue } from './queue-worker.ts';

let queue: Queue;
afterEach(() => queue.close());

describe('realtime requests', () => {
  it('are answered with what would be posted', async () => {
    queue = await Queue.open();
    const worker = queue.worker({ RUNPOD_REALTIME_PORT: '0', HOST: '127.0.0.1' });
    await worker.says('serving realtime requests');
    const port = /port=(\d+)/.exec(worker.stdout)?.[1];
    const call = async (path: string, body: string, method = 'POST') => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
        method,
        ...(method === 'POST' ? { body } : {}),
      });
      return [answer.status, await answer.json()];
    };
    expect(await call('/ep/realtime', JSON.stringify({ id: 'r', input: add }))).toEqual([
      200,
      { output: expect.objectContaining({ success: true, json_result: 3 }) },
    ]);
    expect(
      await call('/ep/realtime', JSON.stringify({ input: live('def f(): raise ValueError("x")') })),
    ).toEqual([
      200,
      { output: expect.objectContaining({ success: false }), error: expect.stringMatching(/^x\n/) },
    ]);
    expect((await call('/ep/realtime', '{'))[0]).toBe(400);
    expect((await call('/other/realtime', '{}'))[0]).toBe(404);
    expect((await call('/ep/realtime', '', 'GET'))[0]).toBe(404);
    expect(await worker.kill('SIGTERM')).toBe(0);
  });
});
