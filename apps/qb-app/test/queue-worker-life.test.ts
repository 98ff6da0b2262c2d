import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Gate } from '../../../scripts/lib/gate.ts';
import { pythonCode } from '../../../scripts/lib/python-code.ts';
import { add, held, live, Queue, untilAtWork, type Worker } from './queue-worker.ts';

let queue: Queue;
afterEach(() => queue.close());

describe('a worker that can’t serve', () => {
  const unhealthy = async (worker: Worker): Promise<string | undefined> => {
    expect(await worker.exited).toBe(1);
    return queue.gateway.workers.unhealthy.get('w1');
  };

  it.each([
    ['python', { FLASH_PYTHON: '/bin/false' }, /^python: /],
    ['memory', { FLASH_MIN_MEMORY_BYTES: '1000000000000000' }, /^memory: .*FLASH_MIN_MEMORY_BYTES/],
    [
      'temporary space',
      { FLASH_MIN_TMP_BYTES: '1000000000000000' },
      /^temporary-space: .*FLASH_MIN_TMP_BYTES/,
    ],
  ])('for want of %s says so and exits 1, and takes no job', async (_, env, reason) => {
    queue = await Queue.open();
    const job = await queue.run(add);
    expect(await unhealthy(queue.worker(env))).toMatch(reason);
    expect((await queue.post(`status/${job.id}`)).status).toBe('IN_QUEUE');
  });

  it.each([
    ['answers an error', 'echo "GPU is lost" >&2; exit 15', /gpu: .*exit code 15.*GPU is lost/],
    ['finds no device', 'echo "No devices were found"', /gpu: .*No devices/],
  ])('because nvidia-smi %s says so and exits 1', async (_, script, reason) => {
    queue = await Queue.open();
    writeFileSync(join(queue.directory, 'nvidia-smi'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const env = { PATH: `${queue.directory}:${process.env.PATH}`, FLASH_EXPECT_GPU: 'true' };
    expect(await unhealthy(queue.worker(env))).toMatch(reason);
    const skipping = queue.worker({ ...env, RUNPOD_SKIP_GPU_CHECK: 'true' });
    expect((await queue.runsync(add)).status).toBe('COMPLETED');
    await skipping.kill('SIGTERM');
  });

  it('because its settings are wrong names the variable', async () => {
    queue = await Queue.open();
    for (const [name, value] of [
      ['RUNPOD_WEBHOOK_POST_OUTPUT', 'nowhere'],
      ['RUNPOD_PING_INTERVAL', 'often'],
      ['FLASH_CONCURRENCY', '0'],
    ] as const) {
      const worker = queue.worker({ [name]: value });
      expect(await worker.exited).toBe(1);
      expect(`${worker.stdout}${worker.stderr}`).toContain(name);
    }
  });
});

describe('ending', () => {
  it('is quick when the worker is idle, whether it has worked or not', async () => {
    // A worker that waits for the answer to its poll waits for longer than the test.
    queue = await Queue.open({ FLASH_GATEWAY_POLL_MS: '600000' });
    const idle = queue.worker({ FLASH_TAKE_TIMEOUT_MS: '600000' });
    await idle.says('serving the queue');
    const late = delay(60_000, 'it waits', { ref: false });
    expect(await Promise.race([idle.kill('SIGTERM'), late])).toBe(0);
    const used = queue.worker();
    await queue.runsync(add);
    expect(await used.kill('SIGINT')).toBe(0);
  });

  it('lets a job in flight finish, and takes no other', async () => {
    queue = await Queue.open();
    const worker = queue.worker();
    const gate = new Gate();
    const job = await queue.run(held(gate));
    await gate.come();
    worker.process.kill('SIGTERM');
    await worker.says('asked to end');
    const next = await queue.run(add);
    gate.open();
    expect(await worker.exited).toBe(0);
    expect((await queue.post(`status/${job.id}`)).status).toBe('COMPLETED');
    expect((await queue.post(`status/${next.id}`)).status).toBe('IN_QUEUE');
  });

  it('gives a job back that does not finish in time: another worker does it', async () => {
    queue = await Queue.open({ FLASH_GATEWAY_LEASE_MS: '4000' });
    const worker = queue.worker({ FLASH_DRAIN_MS: '200', RUNPOD_PING_INTERVAL: '300' });
    const job = await queue.run(
      live(
        pythonCode`
          import os
          def f():
              import time
              if os.environ["RUNPOD_POD_ID"] == "w1": time.sleep(600)
              return "w2 did it"
        `,
      ),
    );
    await untilAtWork(queue, job.id);
    expect(await worker.kill('SIGTERM')).toBe(0);
    queue.worker({ RUNPOD_POD_ID: 'w2' });
    const record = await queue.gateway.store.find('ep', job.id);
    await queue.gateway.store.waitForEnd(record as NonNullable<typeof record>, 60_000);
    expect(await queue.post(`status/${job.id}`)).toMatchObject({
      output: { json_result: 'w2 did it' },
      workerId: 'w2',
    });
  });

  it('is at once when asked twice', async () => {
    queue = await Queue.open();
    const worker = queue.worker();
    const gate = new Gate();
    const job = await queue.run(held(gate));
    await gate.come();
    expect((await queue.post(`status/${job.id}`)).status).toBe('IN_PROGRESS');
    worker.process.kill('SIGTERM');
    await worker.says('asked to end');
    expect(await worker.kill('SIGTERM')).toBe(143);
    gate.open();
  });
});
