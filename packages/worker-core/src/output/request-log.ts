import type { Log, LogLevel } from '../ports/log.ts';
import { HeadTailBuffer } from './head-tail-buffer.ts';

const maxSystemLogBytes = 256 * 1024;
/** The last that a listener hears of the user's output. */
const endOfLive =
  '\n[… further output is not shown while it runs (FLASH_MAX_LOGGED_OUTPUT_BYTES); the response has it …]\n';

/** What reaches a listener while a request is at work. */
export type RequestEvent =
  | { readonly kind: 'system'; readonly line: string }
  | { readonly kind: 'output'; readonly text: string };

/**
 * The log of one request: system lines (installs, cache, routing) that open the response's `stdout`, and the user's output,
 * both shown live to the log port and to a listener (docs/reference/protocol.md, FunctionResponse).
 */
export class RequestLog {
  readonly #log: Log;
  readonly #requestId: string;
  readonly #listener: ((event: RequestEvent) => void) | undefined;
  readonly #maxLiveBytes: number;
  readonly #decoder = new TextDecoder();
  #system: HeadTailBuffer | undefined;
  #liveBytes = 0;
  #partialLine = '';

  /** @param maxLiveBytes - how much user output goes to the log port; the rest is still in the response. */
  constructor(log: Log, requestId: string, maxLiveBytes: number, listener?: (event: RequestEvent) => void) {
    this.#log = log;
    this.#requestId = requestId;
    this.#maxLiveBytes = maxLiveBytes;
    this.#listener = listener;
  }

  /** Adds a system line. */
  readonly system = (line: string, level: LogLevel = 'info'): void => {
    this.#system ??= new HeadTailBuffer(maxSystemLogBytes, 'nothing; the bound of system lines is fixed');
    this.#system.appendText(`${line}\n`);
    this.#log.write(level, line, { requestId: this.#requestId });
    this.#listener?.({ kind: 'system', line });
  };

  /** Takes a piece of what the user's code printed. */
  readonly output = (bytes: Uint8Array): void => {
    if (this.#liveBytes > this.#maxLiveBytes) return;
    this.#liveBytes += bytes.length;
    const text = this.#decoder.decode(bytes, { stream: true });
    this.#listener?.({ kind: 'output', text });
    const lines = (this.#partialLine + text).split('\n');
    this.#partialLine = lines.pop() ?? '';
    for (const line of lines) this.#writeOutput(line);
    if (this.#liveBytes > this.#maxLiveBytes) {
      this.#writeOutput(this.#partialLine);
      this.#partialLine = '';
      this.#listener?.({ kind: 'output', text: endOfLive });
      this.#log.write(
        'warn',
        'further output of this request is not logged (FLASH_MAX_LOGGED_OUTPUT_BYTES)',
        {
          requestId: this.#requestId,
        },
      );
    }
  };

  /** Logs a last line that had no line end. */
  finish(): void {
    if (this.#partialLine !== '') this.#writeOutput(this.#partialLine);
    this.#partialLine = '';
  }

  /** The response's `stdout`: system lines, a blank line, the user's output; "" when there was nothing. */
  stdout(userOutput: string): string {
    if (this.#system === undefined) return userOutput;
    const system = this.#system.toString().trimEnd();
    return userOutput === '' ? system : `${system}\n\n${userOutput}`;
  }

  #writeOutput(line: string): void {
    this.#log.write('info', line, { requestId: this.#requestId, source: 'user' });
  }
}
