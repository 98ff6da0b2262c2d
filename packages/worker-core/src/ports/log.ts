export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Ids and figures of an event; `requestId`, `runnerId`, `jobId` by those names. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where events go. Implementations keep secrets out (docs/reference/protocol.md, Environment variables). */
export interface Log {
  write(level: LogLevel, message: string, fields?: LogFields): void;
}
