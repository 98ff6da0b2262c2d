import { loggingSettingsSchema, openLog } from '@flash/infra-logging';
import { type Log, WorkerError } from '@flash/worker-core';
import { secretsOf } from './worker-secrets.ts';

/**
 * A log for what happens before there is a worker, or instead of one. It works with any settings: a wrong one counts as absent.
 *
 * @param descriptor - file descriptor that lines are written to; default 2.
 */
export function emergencyLog(env: NodeJS.ProcessEnv, descriptor = 2): Log {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const settings = loggingSettingsSchema.safeParse(given);
  const { RUNPOD_ENDPOINT_ID } = given;
  return openLog({
    settings: settings.success
      ? settings.data
      : { RUNPOD_ENDPOINT_ID, RUNPOD_LOG_LEVEL: undefined, LOG_LEVEL: undefined },
    redactor: secretsOf(env),
    descriptor,
  });
}

/** Writes why the process can't go on. An error that was foreseen needs no stack. */
export function writeFatal(log: Log, error: unknown): void {
  if (error instanceof WorkerError) log.write('error', error.message, { code: error.code });
  else log.write('error', 'the worker failed', { error });
}

/** Has the runtime's own words go to the log: its warnings, and errors that nobody handled. The latter end the process with status 1. */
export function captureLastWords(log: Log): void {
  process.removeAllListeners('warning');
  process.on('warning', (error) => log.write('warn', 'a warning of the runtime', { error }));
  const end = (error: unknown): void => {
    log.write('error', 'an error was not handled', { error });
    process.exit(1);
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}
