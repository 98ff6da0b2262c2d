import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { type Log, WorkerStartError } from '@flash/worker-core';
import { JsonLines } from '../protocol/json-lines.ts';
import {
  type ForkOptions,
  forkLine,
  killLine,
  spawnZygote,
  startLine,
  type ZygoteStart,
} from './commands.ts';

/** How a runner came to its end. Neither code nor signal: it could not be started, see `reason`. */
export interface RunnerExit {
  readonly code: number | null;
  readonly signal: string | null;
  readonly reason?: string;
}

/** Events of a zygote. They are not validated: a zygote runs no user code, and the start would have to wait until zod is loaded. */
type ZygoteEvent =
  | ({
      readonly event: 'ready';
      readonly pid: number;
      readonly python: string;
      readonly modules: readonly string[];
    } & Preimported)
  | { readonly event: 'failed'; readonly reason: string; readonly module?: string }
  | { readonly event: 'forked'; readonly runner: number; readonly pid: number }
  | ({ readonly event: 'exited'; readonly runner: number } & RunnerExit);

export interface ZygoteListener {
  onForked(runner: number, pid: number): void;
  onExited(runner: number, exit: RunnerExit): void;
  /** The zygote is gone after it was ready; no runner of it will be reported any more. */
  onLost(reason: string): void;
}

export interface ZygoteOptions extends ZygoteStart {
  /** Path of the Python interpreter. */
  readonly python: string;
  /** Environment of user code. */
  readonly env: NodeJS.ProcessEnv;
  /** A zygote that was started ahead with this interpreter and this environment, and was told its options already. */
  readonly process?: ChildProcess | undefined;
  readonly startTimeoutMs: number;
  readonly requiredVersion: string | undefined;
  readonly log: Log;
}

/** Which modules a zygote has imported ahead, and which it could not. */
export interface Preimported {
  /** Milliseconds that each import took, by the module's name. */
  readonly imported: Readonly<Record<string, number>>;
  /** Why modules were not imported, by name. */
  readonly refused: Readonly<Record<string, string>>;
}

/** A zygote has imported a module that must not be imported before a fork: it can't be used, and another one has to do without the module. */
export class ContaminatedZygoteError extends WorkerStartError {
  readonly module: string;

  constructor(module: string, reason: string) {
    super(`Python can't be forked any more: ${reason}`);
    this.module = module;
  }
}

const stderrTailBytes = 4096;

/** The Python process that forks runners. */
export class Zygote {
  readonly #process: ChildProcess;
  /** Absent when the process could not be started. */
  readonly #control: Socket | undefined;
  readonly #listener: ZygoteListener;
  readonly #options: ZygoteOptions;
  readonly #ready = Promise.withResolvers<void>();
  readonly #exited = Promise.withResolvers<void>();
  readonly #startTimer: NodeJS.Timeout;
  #modules: readonly string[] = [];
  #preimported: Preimported = { imported: {}, refused: {} };
  #stderrTail = '';
  #isUp = false;
  #closing = false;

  constructor(options: ZygoteOptions, listener: ZygoteListener) {
    this.#options = options;
    this.#listener = listener;
    this.#process = options.process ?? spawnZygote(options.python, options.env);
    this.#control = (this.#process.stdio?.[3] ?? undefined) as Socket | undefined;
    const lines = new JsonLines();
    this.#control?.setEncoding('utf8');
    this.#control?.on('data', (text: string) => lines.push(text, (event) => this.#take(event)));
    this.#control?.on('error', () => {});
    if (options.process === undefined) this.#send(startLine(options));
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => this.#note(text));
    }
    this.#process.on('error', (error) =>
      this.#lost(`${options.python} could not be started: ${error.message}`),
    );
    this.#process.on('close', (code, signal) => this.#lost(`it ended with ${signal ?? `exit code ${code}`}`));
    this.#startTimer = setTimeout(() => {
      this.#process.kill('SIGKILL');
      this.#ready.reject(
        new WorkerStartError(
          `Python (${options.python}) was not ready after ${options.startTimeoutMs} ms; raise FLASH_START_TIMEOUT_MS`,
        ),
      );
    }, options.startTimeoutMs);
    this.#ready.promise.catch(() => {});
  }

  /** Rejects with WorkerStartError when this Python can't serve. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Top-level names of what every runner has imported before it starts. */
  get modules(): readonly string[] {
    return this.#modules;
  }

  /** Which of the modules that it was told to preimport it has imported. */
  get preimported(): Preimported {
    return this.#preimported;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Asks for a runner. A zygote that is not ready yet forks as soon as it can. */
  fork(runner: number, endMark: Buffer, options: ForkOptions): void {
    this.#send(forkLine(runner, endMark, options));
  }

  /** Kills a runner with its whole process group. */
  kill(runner: number): void {
    this.#send(killLine(runner));
  }

  /** Ends the zygote with every process below it. */
  async close(timeoutMs: number): Promise<void> {
    this.#closing = true;
    this.#control?.end();
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), timeoutMs);
    await this.#exited.promise;
    clearTimeout(timer);
  }

  #send(line: string): void {
    if (this.#control?.writable) this.#control.write(line);
  }

  #take(value: unknown): void {
    const event = value as ZygoteEvent;
    switch (event.event) {
      case 'ready':
        clearTimeout(this.#startTimer);
        this.#modules = event.modules;
        this.#preimported = { imported: event.imported, refused: event.refused };
        this.#checkVersion(event.python);
        break;
      case 'failed':
        this.#ready.reject(
          event.module !== undefined
            ? new ContaminatedZygoteError(event.module, event.reason)
            : new WorkerStartError(
                `${this.#options.python} can't run functions: ${event.reason}; install it there: ${this.#options.python} -m pip install cloudpickle`,
              ),
        );
        break;
      case 'forked':
        this.#listener.onForked(event.runner, event.pid);
        break;
      case 'exited':
        this.#listener.onExited(event.runner, event);
        break;
    }
  }

  #checkVersion(version: string): void {
    const { requiredVersion, python } = this.#options;
    if (requiredVersion === undefined || version.startsWith(`${requiredVersion}.`))
      return this.#becomeReady();
    this.#ready.reject(
      new WorkerStartError(
        `FLASH_PYTHON_VERSION is ${requiredVersion}, but ${python} is Python ${version}: use the image made for this version`,
      ),
    );
    this.#control?.end();
  }

  #becomeReady(): void {
    this.#isUp = true;
    this.#ready.resolve();
  }

  #note(text: string): void {
    this.#stderrTail = (this.#stderrTail + text).slice(-stderrTailBytes);
    this.#options.log.write('warn', text.trimEnd(), { source: 'zygote' });
  }

  #lost(how: string): void {
    clearTimeout(this.#startTimer);
    const said = this.#stderrTail.trim();
    const reason = `the Python zygote is gone: ${how}${said ? `; it said: ${said}` : ''}`;
    this.#ready.reject(new WorkerStartError(reason));
    this.#exited.resolve();
    if (this.#isUp && !this.#closing) this.#listener.onLost(reason);
    this.#closing = true;
  }
}
