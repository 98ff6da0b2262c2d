import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../python/send_traces.py', import.meta.url));
/** For its start, and for what of an attempt nothing in Python interrupts, such as to look a name up. */
const graceMs = 10_000;

/** The Python that processes of the worker run on, and their environment: without the worker's secrets. */
export interface SenderPython {
  readonly python: string;
  readonly env: NodeJS.ProcessEnv;
}

/** What the process is told first. */
export interface SenderStart {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Bound of one attempt, in milliseconds. */
  readonly timeoutMs: number;
  /** Whom to trust, in PEM; for https. */
  readonly certificates?: string;
}

/** What came of an attempt: an answer, or a reason why there is none. */
export type Attempt =
  | { readonly status: number; readonly answer: string }
  | { readonly status?: undefined; readonly failure: string };

interface Waiting {
  readonly end: (attempt: Attempt) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * The process that posts spans (`python/send_traces.py`).
 *
 * A client of HTTP beside the worker's server, in the same isolate of V8, has it see two kinds of connections in functions that are on the way of
 * every request: those become a twentieth slower at the median, a fifth at p99, for an export every few seconds. A thread has code of its
 * own, but to make one does nearly the same to the thread that makes it, and takes twice the memory.
 */
export class SenderProcess {
  readonly #child: ChildProcess;
  readonly #control: Socket;
  readonly #maxMs: number;
  readonly #waiting: Waiting[] = [];
  #text = '';
  #ended: string | undefined;

  constructor({ python, env }: SenderPython, start: SenderStart) {
    this.#maxMs = start.timeoutMs + graceMs;
    this.#child = spawn(python, ['-I', '-S', script], {
      env,
      // Descriptor 3 is the connection.
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
      // A session of its own: an interrupt from the terminal is for the supervisor alone, which then sends what is left.
      detached: true,
    });
    this.#control = this.#child.stdio[3] as unknown as Socket;
    this.#control.setEncoding('utf8').on('data', (text: string) => this.#take(text));
    this.#control.on('error', () => {});
    this.#child.on('error', (error) => this.#end(`it could not be started: ${error.message}`));
    this.#child.on('close', (code, signal) => this.#end(`it ended with ${signal ?? `exit code ${code}`}`));
    // Nothing is kept waiting for traces.
    this.#child.unref();
    this.#control.unref();
    this.#write(Buffer.from(JSON.stringify(start)));
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  /** Posts once; bodies are posted one after the other. */
  post(body: Uint8Array): Promise<Attempt> {
    return new Promise((end) => {
      if (this.#ended !== undefined) {
        end({ failure: this.#ended });
        return;
      }
      const timer = setTimeout(() => this.kill('it does not answer'), this.#maxMs).unref();
      this.#waiting.push({ end, timer });
      this.#write(body);
    });
  }

  kill(reason: string): void {
    this.#child.kill('SIGKILL');
    this.#end(reason);
  }

  #write(body: Uint8Array): void {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(body.length);
    this.#control.cork();
    this.#control.write(head);
    this.#control.write(body);
    this.#control.uncork();
  }

  #take(text: string): void {
    const lines = `${this.#text}${text}`.split('\n');
    this.#text = lines.pop() as string;
    for (const line of lines) this.#answer(JSON.parse(line) as Attempt);
  }

  #answer(attempt: Attempt): void {
    const { end, timer } = this.#waiting.shift() as Waiting;
    clearTimeout(timer);
    end(attempt);
  }

  #end(reason: string): void {
    this.#ended ??= `the process that sends traces: ${reason}`;
    while (this.#waiting.length > 0) this.#answer({ failure: this.#ended });
  }
}
