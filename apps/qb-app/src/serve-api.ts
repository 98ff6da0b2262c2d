import { gatewaySettingsSchema, startGateway, StoreJobQueue, TimelineTracer } from '@flash/queue-gateway';
import { ServeJobs } from '@flash/worker-core';
import { readSettings, type Worker } from '@flash/worker-host';
import { endRequested } from './end-request.ts';
import type { Flags } from './flags.ts';
import type { QbSettings } from './settings.ts';

/** Serves the platform's client API on this machine, with this worker behind it; resolves when asked to end. */
export async function serveApi(
  worker: Worker,
  flags: Flags,
  settings: QbSettings,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const asked = endRequested();
  const { workerId } = worker.identity;
  const gateway = await startGateway({
    host: flags.apiHost,
    port: flags.apiPort,
    localWorkerId: workerId,
    runners: () => worker.runners(),
    settings: readSettings(gatewaySettingsSchema, env),
    log: worker.log,
  });
  const jobs = new ServeJobs({
    tracer: new TimelineTracer(worker.tracer, (jobId, step) => gateway.store.noteStep(jobId, step)),
    queue: new StoreJobQueue(gateway.store, workerId),
    jobRunner: worker.jobRunner,
    log: worker.log,
    metrics: worker.metrics,
    concurrency: flags.apiConcurrency,
    maxConsecutiveFailures: 0,
    // This process is the queue as well: only what runs user code is replaced.
    onRefresh: (jobId) => {
      worker.log.write('info', 'a job asked for a fresh worker: what runs user code is replaced', { jobId });
      worker.renew();
    },
  });
  worker.log.write('info', 'serving the queue API', {
    console: `http://${flags.apiHost}:${gateway.port}/`,
    url: `http://${flags.apiHost}:${gateway.port}/v2/local`,
    port: gateway.port,
  });
  void asked.then(() => {
    jobs.stop();
    setTimeout(() => jobs.abandonJobs(), settings.FLASH_DRAIN_MS).unref();
  });
  await jobs.serve();
  await gateway.close();
}
