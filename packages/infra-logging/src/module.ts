import { ports, type SecretRedactor } from '@flash/worker-core';
import { ContainerModule } from 'inversify';
import { openLogDestination } from './destination.ts';
import { PinoLog } from './pino-log.ts';
import type { LoggingSettings } from './settings.ts';

export interface LoggingModuleOptions {
  readonly settings: LoggingSettings;
  readonly redactor: SecretRedactor;
  /** File descriptor that lines are written to; default 2. */
  readonly descriptor?: number | undefined;
}

/** Binds the log. */
export function loggingModule({ settings, redactor, descriptor = 2 }: LoggingModuleOptions): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(ports.Log)
      .toResolvedValue(() => {
        const level = settings.RUNPOD_LOG_LEVEL ?? settings.LOG_LEVEL ?? 'info';
        return new PinoLog({ level, redactor, destination: openLogDestination(descriptor) });
      })
      .inSingletonScope();
  });
}
