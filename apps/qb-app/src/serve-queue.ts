import { setTimeout as delay } from 'node:timers/promises';
import { AppError, ServeJobs, type ServeEnd } from '@flash/worker-core';
import { openRunpodQueue, type Worker } from '@flash/worker-host';
import { endRequested } from './end-request.ts';
import type { QbSettings } from './settings.ts';

/** A platform that does not answer must not keep a worker that can't serve. */
const unhealthyPingMs = 10_000;

/**
 * Serves the platform's queue until it is asked to end, a job asks for a fresh worker, or this machine can't serve (docs/reference/protocol.md, Queue
 * protocol).
 *
 * @returns the exit status.
 */
export async function serveQueue(
  worker: Worker,
  settings: QbSettings,
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const asked = endRequested();
  // Python comes up while the queue's client is loaded; the heartbeat begins before either is done with.
  const started = worker.start();
  started.catch(() => {});
  const queue = await openRunpodQueue(worker, env);
  let unfit = await Promise.race([whyUnfit(worker, started), asked.then(() => undefined)]);
  let status = 0;
  if (unfit === undefined) {
    const serve = new ServeJobs({
      tracer: worker.tracer,
      queue,
      jobRunner: worker.jobRunner,
      log: worker.log,
      metrics: worker.metrics,
      concurrency: worker.concurrency,
      maxConsecutiveFailures: settings.FLASH_MAX_CONSECUTIVE_FAILURES,
    });
    const { bootFailure } = worker;
    // The platform hears of it at once; the jobs are answered all the same.
    if (bootFailure !== undefined) void queue.reportUnhealthy('app', bootFailure.message);
    worker.log.write('info', 'serving the queue', {
      workerId: worker.identity.workerId,
      concurrency: worker.concurrency,
    });
    const end = await serveUntil(serve, asked, settings, worker);
    unfit = explain(end);
  }
  if (unfit !== undefined) {
    worker.log.write('error', 'this worker can’t serve and ends', { ...unfit });
    await Promise.race([
      queue.reportUnhealthy(unfit.check, unfit.reason),
      delay(unhealthyPingMs, undefined, { ref: false }),
    ]);
    status = 1;
  }
  await queue.close(settings.FLASH_FLUSH_MS);
  return status;
}

interface Unfit {
  readonly check: string;
  readonly reason: string;
}

async function whyUnfit(worker: Worker, started: Promise<void>): Promise<Unfit | undefined> {
  const [python, machine] = await Promise.all([
    started.then(
      () => undefined,
      (error: Error) => ({ check: error instanceof AppError ? 'app' : 'python', reason: error.message }),
    ),
    worker.checkFitness(),
  ]);
  // A machine without memory or space has no Python either: the cause is what helps.
  return machine === undefined ? python : { check: machine.check, reason: machine.message };
}

async function serveUntil(
  serve: ServeJobs,
  asked: Promise<NodeJS.Signals>,
  { FLASH_DRAIN_MS: drainMs }: QbSettings,
  { log }: Worker,
): Promise<ServeEnd> {
  let timer: NodeJS.Timeout | undefined;
  void asked.then((signal) => {
    log.write('info', 'asked to end: no more jobs are taken', { signal });
    serve.stop();
    timer = setTimeout(() => {
      log.write('warn', 'jobs did not finish in time and are given back (FLASH_DRAIN_MS)', { drainMs });
      serve.abandonJobs();
    }, drainMs);
  });
  const end = await serve.serve();
  clearTimeout(timer);
  if (end.reason === 'refresh') log.write('info', 'a job asked for a fresh worker', { jobId: end.jobId });
  return end;
}

/** Why a worker that was not asked to end can't go on; `undefined` when all is well. */
function explain(end: ServeEnd): Unfit | undefined {
  switch (end.reason) {
    case 'asked':
    case 'refresh':
      return undefined;
    case 'failing':
      return {
        check: 'jobs',
        reason: `${end.failures} jobs in a row failed for the worker's own reasons (FLASH_MAX_CONSECUTIVE_FAILURES): ${end.error}`,
      };
    case 'queue':
      return { check: 'queue', reason: end.error.message };
  }
}
