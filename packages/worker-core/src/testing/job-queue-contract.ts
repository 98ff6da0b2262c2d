import type { Job, JobBody, JobQueue } from '../ports/job-queue.ts';
import { type ContractCase, ensure, rejection } from './contract-case.ts';

/** A job as who submitted it sees it. */
export interface SubmittedJob {
  readonly id: string;
  /** What a client finds when the job has a result. */
  result(): Promise<{ readonly output?: unknown; readonly error?: string | undefined }>;
  /** The chunks it has streamed. */
  chunks(): Promise<readonly unknown[]>;
  /** Has the worker stop it. */
  stop(): Promise<void>;
}

/** A queue with its other side. */
export interface QueueUnderTest {
  readonly queue: JobQueue;
  submit(input: unknown, more?: JobBody): Promise<SubmittedJob>;
  close(): Promise<void>;
}

const never = new AbortController().signal;
const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** What every JobQueue does. */
export function jobQueueContract(make: () => Promise<QueueUnderTest>): ContractCase[] {
  const check = (name: string, body: (test: QueueUnderTest) => Promise<void>): ContractCase => ({
    name,
    run: async () => {
      const test = await make();
      try {
        await body(test);
      } finally {
        await test.close();
      }
    },
  });
  return [
    check('hands over a job as it was submitted', async ({ queue, submit }) => {
      const { id } = await submit({ text: 'ä € 😀' });
      const job = await takeOne(queue);
      ensure(job.id === id, `${job.id} is not ${id}`);
      ensure(JSON.stringify(job.body.input) === '{"text":"ä € 😀"}', JSON.stringify(job.body));
      const inBytes = JSON.parse(new TextDecoder().decode(job.bytes)) as JobBody;
      ensure(
        inBytes.id === id && JSON.stringify(inBytes.input) === JSON.stringify(job.body.input),
        'bytes differ',
      );
      await queue.finish(job, {});
    }),
    check('waits for a job that is not there yet', async ({ queue, submit }) => {
      const taking = takeOne(queue);
      await new Promise((resolve) => setTimeout(resolve, 20));
      const { id } = await submit(1);
      const job = await taking;
      ensure(job.id === id, job.id);
      await queue.finish(job, {});
    }),
    check('takes several at once, and never more than were wanted', async ({ queue, submit }) => {
      for (let count = 0; count < 5; count++) await submit(count);
      const jobs: Job[] = [];
      while (jobs.length < 5) {
        const taken = await queue.take(3, never);
        ensure(taken.length <= 3, `${taken.length} jobs`);
        jobs.push(...taken);
      }
      ensure(jobs.map(({ body }) => body.input).join('') === '01234', 'not in their order');
      for (const job of jobs) await queue.finish(job, {});
    }),
    check('ends a take that is aborted, with the signal’s reason', async ({ queue }) => {
      const reason = new Error('no more');
      const stop = new AbortController();
      const taking = queue.take(1, stop.signal);
      stop.abort(reason);
      ensure((await rejection(taking)) === reason, 'another reason');
    }),
    check('hands over output and error', async ({ queue, submit }) => {
      const [good, bad] = [await submit(1), await submit(2)];
      await queue.finish(await takeOne(queue), { outputJson: json({ a: [1, 'ü'] }) });
      await queue.finish(await takeOne(queue), { outputJson: json(7), error: 'it broke' });
      ensure(JSON.stringify(await good.result()) === '{"output":{"a":[1,"ü"]}}', 'output');
      const { output, error } = await bad.result();
      ensure(output === 7 && error === 'it broke', `${output} ${error}`);
    }),
    check('hands over chunks in their order, before the result', async ({ queue, submit }) => {
      const submitted = await submit(1);
      const job = await takeOne(queue);
      for (const chunk of ['a', { b: 1 }, null]) await queue.stream(job, json(chunk));
      await queue.finish(job, { outputJson: json([]), isStream: true });
      await submitted.result();
      ensure(JSON.stringify(await submitted.chunks()) === '["a",{"b":1},null]', 'chunks');
    }),
    check('takes progress and log of a job at work, and none after its end', async ({ queue, submit }) => {
      const submitted = await submit(1);
      const job = await takeOne(queue);
      queue.progress(job, json({ done: 1 }));
      queue.logged(job, 'line\n');
      await queue.finish(job, { outputJson: json('end') });
      ensure((await submitted.result()).output === 'end', 'the result is not the last word');
    }),
    check('tells a job to stop', async ({ queue, submit }) => {
      const submitted = await submit(1);
      const job = await takeOne(queue);
      const stopped = new Promise((resolve) => job.stop.addEventListener('abort', resolve, { once: true }));
      const asking = new AbortController();
      const taking = queue.take(1, asking.signal).catch(() => []);
      await submitted.stop();
      await stopped;
      queue.abandon(job);
      asking.abort();
      await taking;
    }),
  ];
}

async function takeOne(queue: JobQueue): Promise<Job> {
  for (;;) {
    const [job] = await queue.take(1, never);
    if (job !== undefined) return job;
  }
}
