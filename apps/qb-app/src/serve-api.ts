import { hostname } from 'node:os';
import { type Gateway, gatewaySettingsSchema, startGateway, StoreJobQueue } from '@flash/queue-gateway';
import { ServeJobs } from '@flash/worker-core';
import { readSettings, type Worker } from '@flash/worker-host';
import type { Flags } from './flags.ts';

/** Serves the platform's client API on this machine, with this worker behind it; resolves when asked to end. */
export async function serveApi(worker: Worker, flags: Flags, env: NodeJS.ProcessEnv): Promise<void> {
  const gateway = await startGateway({
    host: flags.apiHost,
    port: flags.apiPort,
    workerId: env.RUNPOD_POD_ID ?? hostname(),
    settings: readSettings(gatewaySettingsSchema, env),
    log: worker.log,
  });
  const jobs = new ServeJobs(
    new StoreJobQueue(gateway.store),
    worker.runJob,
    worker.log,
    flags.apiConcurrency,
  );
  worker.log.write('info', 'serving the queue API', {
    url: `http://${flags.apiHost}:${gateway.port}/v2/local`,
    port: gateway.port,
  });
  await endRequested();
  await end(gateway, jobs);
}

/** A second request to end does not wait for anything. */
function endRequested(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const ask = (): void => {
      if (asked) process.exit(130);
      asked = true;
      resolve();
    };
    process.on('SIGTERM', ask);
    process.on('SIGINT', ask);
  });
}

async function end(gateway: Gateway, jobs: ServeJobs): Promise<void> {
  await jobs.drain();
  await gateway.close();
}
