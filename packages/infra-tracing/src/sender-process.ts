import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

/** The outcome of an attempt: an answer, or a reason why there is none. */
export type Attempt =
  | { readonly status: number; readonly answer: string }
  | { readonly status?: undefined; readonly failure: string };

interface Waiting {
  readonly end: (attempt: Attempt) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * The process that posts spans (`python/send_traces.py`). It connects to a socket that only the worker's user can reach.
 *
 * A client of HTTP beside the worker's server, in the same isolate of V8, has it see two kinds of connections in functions that are on the way of
 * every request: those become a twentieth slower at the median, a fifth at p99, for an export every few seconds. A thread has code of its
 * own, but to make one does nearly the same to the thread that makes it, and takes twice the memory. Even a pipe to a new process makes
 * the next thousands of requests slower by a thirtieth; a connection of the kind that runners have does not.
 */
export class SenderProcess {
  readonly #directory = mkdtempSync(join(tmpdir(), 'flash-traces-'));
  readonly #server: Server;
  readonly #maxMs: number;
  readonly #waiting: Waiting[] = [];
  #child: ChildProcess | undefined;
  #socket: Socket | undefined;
  /** What was to be sent before the process had connected. */
  #unsent: Buffer[] = [];
  #text = '';
  #ended: string | undefined;

  constructor({ python, env }: SenderPython, start: SenderStart) {
    this.#maxMs = start.timeoutMs + graceMs;
    this.#write(Buffer.from(JSON.stringify(start)));
    const path = join(this.#directory, 'worker.sock');
    this.#server = createServer({ pauseOnConnect: true }, (socket) => this.#connected(socket));
    // Once would not do: a worker out of descriptors is told so at every attempt to connect.
    this.#server.on('error', (error) => this.#end(`it has nothing to connect to: ${error.message}`));
    // Nothing is kept waiting for traces.
    this.#server.listen(path, () => this.#spawn(python, path, env)).unref();
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
    this.#child?.kill('SIGKILL');
    this.#end(reason);
  }

  #spawn(python: string, path: string, env: NodeJS.ProcessEnv): void {
    if (this.hasEnded) return;
    try {
      this.#child = this.#begin(python, path, env);
    } catch (error) {
      this.#end(`it could not be started: ${(error as Error).message}`);
    }
  }

  /** @throws Error where the system has no room for a process; most other reasons are told by an event. */
  #begin(python: string, path: string, env: NodeJS.ProcessEnv): ChildProcess {
    const child = spawn(python, ['-I', '-S', script, path], {
      env,
      stdio: 'ignore',
      // A session of its own: an interrupt from the terminal is for the supervisor alone, which then sends what is left.
      detached: true,
    });
    child.unref();
    child.on('error', (error) => this.#end(`it could not be started: ${error.message}`));
    child.on('exit', (code, signal) => this.#end(`it ended with ${signal ?? `exit code ${code}`}`));
    return child;
  }

  #connected(socket: Socket): void {
    this.#forgetPlace();
    this.#socket = socket.unref();
    // Its end is told by that of the process.
    socket.on('error', () => {});
    socket.on('data', (piece: Buffer) => this.#take(piece.toString('latin1')));
    socket.resume();
    for (const bytes of this.#unsent) socket.write(bytes);
    this.#unsent = [];
  }

  #write(body: Uint8Array): void {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(body.length);
    const frame = Buffer.concat([head, body]);
    if (this.#socket === undefined) this.#unsent.push(frame);
    else this.#socket.write(frame);
  }

  /** @param text - of ASCII alone. */
  #take(text: string): void {
    const lines = `${this.#text}${text}`.split('\n');
    this.#text = lines.pop() as string;
    try {
      for (const line of lines) this.#answer(JSON.parse(line) as Attempt);
    } catch (error) {
      this.kill(`it can't be understood: ${(error as Error).message}`);
    }
  }

  #answer(attempt: Attempt): void {
    const waiting = this.#waiting.shift();
    clearTimeout(waiting?.timer);
    waiting?.end(attempt);
  }

  #end(reason: string): void {
    this.#ended ??= `the process that sends traces: ${reason}`;
    this.#forgetPlace();
    this.#socket?.destroy();
    while (this.#waiting.length > 0) this.#answer({ failure: this.#ended });
  }

  #forgetPlace(): void {
    this.#server.close();
    try {
      rmSync(this.#directory, { recursive: true, force: true });
    } catch {
      // An empty directory is left; nothing else depends on it.
    }
  }
}
