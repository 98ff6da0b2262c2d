import { type LoggingSettings, loggingSettingsSchema, openLog } from '@flash/infra-logging';
import { type Log, WorkerError } from '@flash/worker-core';
import { describeSystemError } from './system-error.ts';
import { secretsOf } from './worker-secrets.ts';

/**
 * A log for what happens before there is a worker, or instead of one. It works with any settings: a wrong one counts as absent.
 *
 * @param descriptor - file descriptor that lines are written to; default 2.
 */
export function emergencyLog(env: NodeJS.ProcessEnv, descriptor = 2): Log {
  return openLog({ settings: usableSettings(env), redactor: secretsOf(env), descriptor });
}

/** Writes why the process can't go on. An error that was foreseen, or is of the system, is one sentence; any other has its stack. */
export function writeFatal(log: Log, error: unknown): void {
  const sentence = describeSystemError(error);
  if (error instanceof WorkerError) log.write('error', error.message, { code: error.code });
  else if (sentence !== undefined) log.write('error', sentence, { code: 'SYSTEM' });
  else log.write('error', 'the worker failed', { error });
}

/** Has the runtime's warnings go to the log, and errors that no code has handled, which end the process with status 1. */
export function logRuntimeErrors(log: Log): void {
  process.removeAllListeners('warning');
  process.on('warning', (error) => log.write('warn', 'a warning of the runtime', { error }));
  const end = (error: unknown): void => {
    const reason = describeSystemError(error);
    log.write('error', 'an error was not handled', reason === undefined ? { error } : { reason });
    process.exit(1);
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}

function usableSettings(env: NodeJS.ProcessEnv): LoggingSettings {
  const usable = Object.entries(loggingSettingsSchema.shape).map(([name, setting]) => {
    const reading = setting.read(env[name] || undefined);
    return [name, 'value' in reading ? reading.value : undefined];
  });
  return Object.fromEntries(usable) as LoggingSettings;
}
