/**
 * A queue worker on a directory: `npx node examples/directory-queue/host.ts DIRECTORY` after `npm run setup`. Put
 * `{"input": {"function_name": …}}` into DIRECTORY/jobs/NAME.json, and find its outcome in DIRECTORY/results/NAME.json.
 */
import { ServeJobs } from '@flash/worker-core';
import { createWorker } from '@flash/worker-host';
import { DirectoryQueue } from './directory-queue.ts';

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error('name the directory of the queue');
const worker = createWorker();
await worker.start();
const { jobRunner, log, metrics, tracer, concurrency } = worker;
const jobs = new ServeJobs({
  queue: new DirectoryQueue({ directory, lookMs: 100 }),
  jobRunner,
  log,
  metrics,
  tracer,
  concurrency,
  maxConsecutiveFailures: 0,
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => jobs.stop());
await jobs.serve();
await worker.close();
