export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Ids and figures of an event; `requestId`, `runnerId`, `jobId` by those names. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where events go. Implementations keep secrets out (contract, section 4). */
export interface Log {
  write(level: LogLevel, message: string, fields?: LogFields): void;
}
