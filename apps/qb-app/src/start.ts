import { readFile } from 'node:fs/promises';
import { InvalidRequestError, WorkerError } from '@flash/worker-core';
import { createWorker } from '@flash/worker-host';
import { readFlags } from './flags.ts';
import { runLocalJob } from './run-local-job.ts';
import { serveApi } from './serve-api.ts';

const jobFile = 'test_input.json';

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof WorkerError ? error.message : (error as Error).stack}\n`);
  process.exitCode = 1;
}

/** Serves the local API, or runs the one job that was given; returns the exit status. */
async function main(): Promise<number> {
  const flags = readFlags(process.argv.slice(2));
  const env =
    flags.logLevel === undefined ? process.env : { ...process.env, RUNPOD_LOG_LEVEL: flags.logLevel };
  const worker = createWorker({ env });
  for (const name of flags.unknown)
    worker.log.write('warn', 'a flag is not known and was ignored', { flag: `--${name}` });
  try {
    await worker.start();
    if (flags.serveApi) {
      await serveApi(worker, flags, env);
      return 0;
    }
    const { result, exitCode } = await runLocalJob(
      worker,
      flags.testInput ?? (await readJobFile()),
      flags.testOutput,
    );
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return exitCode;
  } finally {
    await worker.close();
  }
}

async function readJobFile(): Promise<string> {
  try {
    return await readFile(jobFile, 'utf8');
  } catch (cause) {
    throw new InvalidRequestError(
      `there is no job: give one with --test_input '<json>', put it into ${jobFile}, or serve the local API with --rp_serve_api`,
      { cause },
    );
  }
}
