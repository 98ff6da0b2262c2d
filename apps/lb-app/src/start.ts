import { captureLastWords, createWorker, emergencyLog, readSettings, writeFatal } from '@flash/worker-host';
import { LbServer } from './lb-server.ts';
import { lbSettingsSchema } from './settings.ts';

const [stdout, stderr] = [1, 2];
// The platform reads a worker's stdout.
const logDescriptor = process.env.RUNPOD_ENDPOINT_ID ? stdout : stderr;

try {
  await serve();
} catch (error) {
  writeFatal(emergencyLog(process.env, logDescriptor), error);
  process.exit(1);
}

/** Listens at once, so that the platform sees 204, and turns ready when Python is. */
async function serve(): Promise<void> {
  const settings = readSettings(lbSettingsSchema, process.env);
  const worker = createWorker({ logDescriptor });
  captureLastWords(worker.log);
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
