import { createRequire } from 'node:module';
import { isatty } from 'node:tty';
import { type Log, ports, type SecretRedactor } from '@flash/worker-core';
import { ContainerModule } from 'inversify';
import { type DestinationStream, destination } from 'pino';
import { PinoLog } from './pino-log.ts';
import { PlatformLog } from './platform-log.ts';
import type { LoggingSettings } from './settings.ts';

export interface LoggingModuleOptions {
  readonly settings: LoggingSettings;
  readonly redactor: SecretRedactor;
  /** File descriptor that lines are written to; default 2. */
  readonly descriptor?: number | undefined;
}

/** Binds the log. */
export function loggingModule(options: LoggingModuleOptions): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(ports.Log)
      .toResolvedValue(() => openLog(options))
      .inSingletonScope();
  });
}

/** The log for where this process runs: the platform's format on the platform, readable lines on a terminal, JSON lines elsewhere. */
export function openLog({ settings, redactor, descriptor = 2 }: LoggingModuleOptions): Log {
  const level = settings.RUNPOD_LOG_LEVEL ?? settings.LOG_LEVEL ?? 'info';
  if (settings.RUNPOD_ENDPOINT_ID !== undefined) {
    return new PlatformLog({ level, redactor, destination: destination({ dest: descriptor, sync: true }) });
  }
  return new PinoLog({ level, redactor, destination: openLogDestination(descriptor) });
}

/** JSON lines; on a terminal readable, coloured ones. */
function openLogDestination(descriptor: number): DestinationStream {
  if (!isatty(descriptor)) return destination({ dest: descriptor, sync: true });
  // Loaded only for a person: a worker in a container never needs it.
  const pretty = createRequire(import.meta.url)('pino-pretty') as (options: object) => DestinationStream;
  return pretty({ destination: descriptor, sync: true, ignore: 'pid,hostname', translateTime: 'HH:MM:ss' });
}
