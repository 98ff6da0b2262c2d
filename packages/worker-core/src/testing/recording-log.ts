import type { Log, LogFields, LogLevel } from '../ports/log.ts';

export interface LoggedEvent {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** Log that keeps what was written. */
export class RecordingLog implements Log {
  readonly events: LoggedEvent[] = [];

  write(level: LogLevel, message: string, fields: LogFields = {}): void {
    this.events.push({ level, message, fields });
  }

  /** Messages in the order they came. */
  get messages(): readonly string[] {
    return this.events.map((event) => event.message);
  }
}
