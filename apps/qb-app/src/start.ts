import { readFile } from 'node:fs/promises';
import { InvalidRequestError } from '@flash/worker-core';
import {
  abandonHeadStart,
  logRuntimeErrors,
  createWorker,
  type HeadStart,
  emergencyLog,
  readSettings,
  type Worker,
  writeFatal,
} from '@flash/worker-host';
import { type Flags, readFlags } from './flags.ts';
import { type QbSettings, qbSettingsSchema } from './settings.ts';

// Each way to run is loaded when it is asked for: a queue worker starts without a gateway.
const jobFile = 'test_input.json';
const [stdout, stderr] = [1, 2];
const lingerMs = 2000;

/** Serves a queue, or does what else the flags ask for, and sets the exit status. */
export function start(headStart: HeadStart | undefined): void {
  void main(process.argv.slice(2), process.env, headStart)
    .catch((error: unknown) => {
      writeFatal(emergencyLog(process.env), error);
      abandonHeadStart(headStart);
      return 1;
    })
    .then((exitCode) => {
      process.exitCode = exitCode;
      // All is closed by now. Should anything be left that keeps the process, it does not keep it for long.
      setTimeout(() => process.exit(), lingerMs).unref();
    });
}

/** Does what the flags and the environment ask for; returns the exit status. */
async function main(
  args: readonly string[],
  given: NodeJS.ProcessEnv,
  headStart: HeadStart | undefined,
): Promise<number> {
  const flags = readFlags(args);
  const env = flags.logLevel === undefined ? given : { ...given, RUNPOD_LOG_LEVEL: flags.logLevel };
  const settings = readSettings(qbSettingsSchema, env);
  const isLocalRun = flags.testInput !== undefined || !isServer(flags, settings);
  // The platform reads a worker's stdout; a local run prints its result there, and nothing else.
  const logDescriptor = settings.RUNPOD_ENDPOINT_ID !== undefined && !isLocalRun ? stdout : stderr;
  const worker = createWorker({ env, logDescriptor, headStart });
  logRuntimeErrors(worker.log);
  for (const name of flags.unknown)
    worker.log.write('warn', 'a flag is not known and was ignored', { flag: `--${name}` });
  try {
    if (isLocalRun) return await runOnce(worker, flags);
    if (flags.serveApi) {
      const { serveApi } = await import('./serve-api.ts');
      await worker.start();
      await serveApi(worker, flags, settings, env);
    } else if (settings.RUNPOD_REALTIME_PORT !== undefined) {
      const { serveRealtime } = await import('./serve-realtime.ts');
      await serveRealtime(worker, settings, env);
    } else {
      const { serveQueue } = await import('./serve-queue.ts');
      return await serveQueue(worker, settings, env);
    }
    return 0;
  } catch (error) {
    writeFatal(worker.log, error);
    return 1;
  } finally {
    await worker.close();
  }
}

function isServer(flags: Flags, settings: QbSettings): boolean {
  return (
    flags.serveApi ||
    settings.RUNPOD_REALTIME_PORT !== undefined ||
    settings.RUNPOD_WEBHOOK_GET_JOB !== undefined
  );
}

async function runOnce(worker: Worker, flags: Flags): Promise<number> {
  const text = flags.testInput ?? (await readJobFile());
  await worker.start();
  const { runLocalJob } = await import('./run-local-job.ts');
  const { result, exitCode } = await runLocalJob(worker, text, flags.testOutput);
  process.stdout.write(`${JSON.stringify(result)}\n`);
  return exitCode;
}

async function readJobFile(): Promise<string> {
  try {
    return await readFile(jobFile, 'utf8');
  } catch (cause) {
    throw new InvalidRequestError(
      `there is no job: give one with --test_input '<json>', put it into ${jobFile}, serve the local API with --rp_serve_api, or set RUNPOD_WEBHOOK_GET_JOB to a queue`,
      { cause },
    );
  }
}
