import type { ServeApp } from '@flash/worker-core';
import {
  logRuntimeErrors,
  createWorker,
  type HeadStart,
  emergencyLog,
  readSettings,
  type Worker,
  writeFatal,
} from '@flash/worker-host';
import { AppFrontDoor } from './app-front-door.ts';
import { LbServer } from './lb-server.ts';
import { type LbSettings, lbSettingsSchema } from './settings.ts';

const [stdout, stderr] = [1, 2];
// The platform reads a worker's stdout.
const logDescriptor = process.env.RUNPOD_ENDPOINT_ID ? stdout : stderr;

/** Serves until it is told to end. */
export function start(headStart: HeadStart | undefined): void {
  serve(headStart).catch((error: unknown) => {
    writeFatal(emergencyLog(process.env, logDescriptor), error);
    process.exit(1);
  });
}

async function serve(headStart: HeadStart | undefined): Promise<void> {
  const settings = readSettings(lbSettingsSchema, process.env);
  const worker = createWorker({ logDescriptor, entry: 'load-balancer', headStart });
  logRuntimeErrors(worker.log);
  await (worker.serveApp === undefined
    ? serveFunctions(worker, settings)
    : serveWebApp(worker, worker.serveApp, settings));
}

/** Listens at once, so that the platform sees 204, and turns ready when Python is. */
async function serveFunctions(worker: Worker, settings: LbSettings): Promise<void> {
  const server = new LbServer(worker, settings);
  endOnSignal(async () => {
    await server.drain();
    await worker.close();
  });
  const started = worker.start();
  const port = await server.listen();
  worker.log.write('info', 'listening', { host: settings.HOST, port });
  await started;
  server.markReady();
  worker.log.write('info', 'ready');
}

/** Listens for the user's own web app, which takes the port over when it is ready. Returns only when the app is given up. */
async function serveWebApp(worker: Worker, app: ServeApp, settings: LbSettings): Promise<void> {
  const door = new AppFrontDoor(settings, worker.log);
  endOnSignal(async () => {
    await door.close();
    await app.close();
    await worker.close();
  });
  const started = worker.start();
  const place = await door.listen();
  worker.log.write('info', 'listening', { host: settings.HOST, port: place.port });
  await started;
  if (worker.bootFailure === undefined) await app.serve(place, door);
  else door.appUnavailable(worker.bootFailure);
}

function endOnSignal(close: () => Promise<void>): void {
  let ending = false;
  const end = (): void => {
    // A second signal means that the sender does not want to wait.
    if (ending) process.exit(130);
    ending = true;
    void close().then(() => process.exit(0));
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}
