import type { Log, LogFields, LogLevel, SecretRedactor } from '@flash/worker-core';
import type { DestinationStream } from 'pino';

/** Longest message the platform shows, in characters. */
const longestMessage = 4096;

const ranks: Readonly<Record<LogLevel | 'silent', number>> = {
  debug: 0,
  info: 1,
  warn: 2,
  error: 3,
  silent: 4,
};

export interface PlatformLogOptions {
  /** The least level that is written. */
  readonly level: LogLevel | 'silent';
  /** Where lines go. */
  readonly destination: DestinationStream;
  readonly redactor: SecretRedactor;
}

/** Log in the platform's own format: `requestId`, `message`, `level`, one JSON object a line (docs/reference/protocol.md, Log lines). */
export class PlatformLog implements Log {
  readonly #options: PlatformLogOptions;

  constructor(options: PlatformLogOptions) {
    this.#options = options;
  }

  write(level: LogLevel, message: string, fields: LogFields = {}): void {
    const { level: least, destination, redactor } = this.#options;
    if (ranks[level] < ranks[least]) return;
    const { requestId, jobId, ...others } = fields;
    const line = {
      requestId: requestId ?? jobId ?? null,
      message: cut(redactor.redact(`${message}${textOf(others)}`)),
      level: level.toUpperCase(),
    };
    destination.write(`${redactor.redact(JSON.stringify(line))}\n`);
  }
}

/** The platform shows nothing but the message: what else is known goes into it. */
function textOf({ error, source, ...fields }: LogFields): string {
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const origin = source === undefined || source === 'user' ? [] : [`source=${String(source)}`];
  const known = [...origin, ...pairs].join(' ');
  return `${known === '' ? '' : ` (${known})`}${error === undefined ? '' : `\n${stackOf(error)}`}`;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\nCaused by: ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

/** A long message keeps its head and its tail. */
function cut(message: string): string {
  if (message.length <= longestMessage) return message;
  const note = `\n[… ${message.length - longestMessage} characters cut …]\n`;
  const kept = longestMessage - note.length;
  return `${message.slice(0, Math.ceil(kept / 2))}${note}${message.slice(-Math.floor(kept / 2))}`;
}
