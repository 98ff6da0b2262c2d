import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { faultKinds, type JobRecord } from '@flash/queue-gateway';
import { afterEach, describe, expect, it } from '@jest/globals';
import { pythonCode } from '../../../scripts/lib/python-code.ts';
import { until } from '../../../scripts/lib/until.ts';
import { live, Queue, type Worker, wait } from './queue-worker.ts';

let queue: Queue;
afterEach(() => queue.close());

/** Every run has an output of its own, so that a job that is answered twice shows. */
const unique = (number: number): object =>
  live(
    pythonCode`
      import random, time, uuid
      def f(n):
          time.sleep(random.random() * 0.02)
          return [n, str(uuid.uuid4())]
    `,
    number,
  );

async function submit(count: number): Promise<JobRecord[]> {
  const records: JobRecord[] = [];
  for (let number = 0; number < count; number++) {
    const { id } = await queue.run(unique(records.length));
    records.push((await queue.gateway.store.find('ep', id)) as JobRecord);
  }
  return records;
}

/** Every job has its own result and no second one; returns how often the same result was posted again. */
function judge(records: readonly JobRecord[]): number {
  const wrong = records.filter((record, number) => {
    if (record.status !== 'COMPLETED' || record.late.other > 0 || record.late.progress > 0) return true;
    const output = JSON.parse(new TextDecoder().decode(record.outputJson));
    return output.json_result?.[0] !== number;
  });
  expect(
    wrong.map(({ id, status, error, late, deliveries }) => ({ id, status, error, late, deliveries })),
  ).toEqual([]);
  return records.reduce((sum, { late }) => sum + late.same, 0);
}

describe('nothing is lost and nothing is answered twice', () => {
  it('when the worker is killed at random points of 500 jobs', async () => {
    queue = await Queue.open({ FLASH_GATEWAY_LEASE_MS: '1000', FLASH_GATEWAY_MAX_DELIVERIES: '100' });
    const records = await submit(500);
    const start = (): Worker =>
      queue.worker({ RUNPOD_PING_INTERVAL: '200', FLASH_CONCURRENCY: '2', LOG_LEVEL: 'WARN' });
    let kills = 0;
    const isOver = (): boolean => records.every(({ endedAt }) => endedAt !== undefined);
    for (const end = Date.now() + 60_000; !isOver() && (kills <= 5 || Date.now() < end); ) {
      const before = records.filter(({ endedAt }) => endedAt !== undefined).length;
      const worker = start();
      await until(() => records.filter(({ endedAt }) => endedAt !== undefined).length > before || isOver());
      await wait(Math.random() * 400);
      if (isOver()) break;
      await worker.kill();
      kills++;
    }
    // A slow machine has not done all of them in that time: what is left is for a worker that lives.
    if (!isOver()) {
      start();
      await until(isOver, 120_000);
    }
    const again = judge(records);
    const redelivered = records.filter(({ deliveries }) => deliveries > 1).length;
    process.stderr.write(
      `${kills} kills, ${redelivered} jobs delivered again, ${again} results posted again\n`,
    );
    expect(kills).toBeGreaterThan(5);
  }, 400_000);

  it('when one call in twenty goes wrong, in every way there is', async () => {
    queue = await Queue.open(
      { FLASH_GATEWAY_LEASE_MS: '2000', FLASH_GATEWAY_MAX_DELIVERIES: '100' },
      { rate: 0.05, kinds: faultKinds, statuses: [500, 502, 503, 429], latencyMs: 300 },
    );
    const worker = queue.worker({
      LOG_LEVEL: 'ERROR',
      FLASH_CONCURRENCY: '3',
      RUNPOD_PING_INTERVAL: '250',
      FLASH_TAKE_TIMEOUT_MS: '3000',
      FLASH_POST_TIMEOUT_MS: '1000',
      FLASH_RATE_LIMIT_MS: '100',
      FLASH_RETRY_MIN_MS: '10',
      FLASH_RETRY_MAX_MS: '300',
    });
    const records: JobRecord[] = [];
    for (const end = Date.now() + 30_000; Date.now() < end; await wait(20)) {
      const { id } = await queue.run(unique(records.length));
      records.push((await queue.gateway.store.find('ep', id)) as JobRecord);
    }
    await until(() => records.every(({ endedAt }) => endedAt !== undefined), 180_000);
    const again = judge(records);
    const faults = [...(queue.faults?.counts ?? [])].map(([kind, count]) => `${kind} ${count}`).join(', ');
    process.stderr.write(`${records.length} jobs; faults: ${faults}; ${again} results posted again\n`);
    for (const kind of faultKinds) expect(queue.faults?.counts.get(kind)).toBeGreaterThan(0);
    expect(await worker.kill('SIGTERM')).toBe(0);
    // Its folder goes when nothing is stored.
    expect(readdirSync(join(queue.directory, 'state'))).toEqual([]);
  }, 300_000);

  it('not a chunk of a stream either', async () => {
    queue = await Queue.open(
      { FLASH_GATEWAY_LEASE_MS: '5000' },
      {
        rate: 0.05,
        kinds: ['status', 'late-status', 'drop', 'late-drop', 'latency'],
        statuses: [500, 429],
        latencyMs: 50,
      },
    );
    const app = join(queue.directory, 'app');
    mkdirSync(app);
    writeFileSync(join(app, 'handler_gpu.py'), 'def handler(job):\n for i in range(500):\n  yield i');
    queue.worker({
      FLASH_APP_DIR: app,
      FLASH_RESOURCE_NAME: 'gpu',
      FLASH_DISABLE_UNPACK: '1',
      FLASH_RETRY_MIN_MS: '5',
      FLASH_RETRY_MAX_MS: '50',
      LOG_LEVEL: 'ERROR',
    });
    const { id, status } = await queue.runsync({});
    expect(status).toBe('COMPLETED');
    const { stream } = (await queue.post(`stream/${id}`)) as unknown as { stream: { output: number }[] };
    expect(stream.map(({ output }) => output)).toEqual(Array.from({ length: 500 }, (_, index) => index));
  });
});
