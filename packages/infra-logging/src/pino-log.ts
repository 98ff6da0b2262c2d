import type { Log, LogFields, LogLevel, SecretRedactor } from '@flash/worker-core';
import { type DestinationStream, type Logger, pino } from 'pino';

export interface PinoLogOptions {
  /** The least level that is written. */
  readonly level: LogLevel | 'silent';
  /** Where lines go. */
  readonly destination: DestinationStream;
  readonly redactor: SecretRedactor;
}

/** Log on pino: one JSON object a line, with secrets taken out of every text. */
export class PinoLog implements Log {
  readonly #logger: Logger;

  constructor({ level, destination, redactor }: PinoLogOptions) {
    this.#logger = pino({ level, base: null }, { write: (line) => destination.write(redactor.redact(line)) });
  }

  write(level: LogLevel, message: string, fields?: LogFields): void {
    if (!this.#logger.isLevelEnabled(level)) return;
    const { error, ...others } = fields ?? {};
    this.#logger[level](error === undefined ? others : { ...others, err: error }, message);
  }
}
