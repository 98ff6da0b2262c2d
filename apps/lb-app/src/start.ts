import { WorkerError } from '@flash/worker-core';
import { createWorker, readSettings } from '@flash/worker-host';
import { LbServer } from './lb-server.ts';
import { lbSettingsSchema } from './settings.ts';

try {
  await serve();
} catch (error) {
  process.stderr.write(`${error instanceof WorkerError ? error.message : (error as Error).stack}\n`);
  process.exit(1);
}

/** Listens at once, so that the platform sees 204, and turns ready when Python is. */
async function serve(): Promise<void> {
  const settings = readSettings(lbSettingsSchema, process.env);
  const worker = createWorker();
  const server = new LbServer(worker, settings);
  endOnSignal(server, () => worker.close());
  const started = worker.start();
  const port = await server.listen();
  worker.log.write('info', 'listening', { host: settings.HOST, port });
  await started;
  server.markReady();
  worker.log.write('info', 'ready');
}

function endOnSignal(server: LbServer, close: () => Promise<void>): void {
  let ending = false;
  const end = (): void => {
    // Whoever asks twice does not want to wait.
    if (ending) process.exit(130);
    ending = true;
    void server
      .drain()
      .then(close)
      .then(() => process.exit(0));
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}
