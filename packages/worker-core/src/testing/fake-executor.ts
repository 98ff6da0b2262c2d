import { WorkerClosedError } from '../errors/worker-closed-error.ts';
import type { Environment } from '../ports/environments.ts';
import type { Execution, Executor, RunOptions } from '../ports/executor.ts';
import type { InstalledChange } from '../ports/installer.ts';
import type { RunnerReport } from '../ports/runner-report.ts';
import type { Call } from '../protocol/function-call.ts';

/** What a fake function is given. */
export interface FakeCall {
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly print: (text: string) => void;
  /** Aborts when the run is to end. */
  readonly signal: AbortSignal;
  readonly progress: (value: unknown) => void;
  /** Streams one value of a handler. */
  readonly chunk: (value: unknown) => Promise<void>;
}

export type FakeFunction = (call: FakeCall) => unknown;

const encoder = new TextEncoder();

/** Executor that runs JavaScript functions by the names requests ask for, with arguments in the "json" format. */
export class FakeExecutor implements Executor {
  readonly #functions: Readonly<Record<string, FakeFunction>>;
  readonly calls: Call[] = [];
  readonly changes: InstalledChange[] = [];
  readonly environments: (string | undefined)[] = [];
  readonly warmed: (string | undefined)[] = [];
  readonly closedEnvironments: string[] = [];
  starts = 0;
  /** Runs at work, each in a runner of its own. */
  readonly #atWork = new Set<RunnerReport>();
  #nextRunner = 1;
  #closed = false;

  constructor(functions: Readonly<Record<string, FakeFunction>>) {
    this.#functions = functions;
  }

  async start(): Promise<void> {
    this.starts++;
  }

  async warm(environment?: Environment): Promise<void> {
    this.warmed.push(environment?.id);
  }

  async run(call: Call, options: RunOptions): Promise<Execution> {
    if (this.#closed) throw new WorkerClosedError();
    this.calls.push(call);
    const environment = options.environment?.id;
    this.environments.push(environment);
    const runner: RunnerReport = {
      id: this.#nextRunner++,
      pid: undefined,
      state: 'busy',
      environment,
      requestIds: [options.requestId],
      instanceIds: [],
      memoryBytes: undefined,
    };
    this.#atWork.add(runner);
    return this.#run(call, options).finally(() => this.#atWork.delete(runner));
  }

  async #run(call: Call, options: RunOptions): Promise<Execution> {
    let output = '';
    const print = (text: string): void => {
      output += text;
      options.onOutput?.(encoder.encode(text));
    };
    const end = new AbortController();
    const ended = watch(options, end);
    const name = nameOf(call);
    const fake = this.#functions[name];
    if (fake === undefined) return { end: 'raised', error: `function '${name}' not found`, output };
    try {
      const value = await Promise.race([
        fake({ ...argumentsOf(call), ...talkTo(options), print, signal: end.signal }),
        ended,
      ]);
      if (isInterruption(value)) return { ...value, output };
      if (isExecution(value)) return { ...value, output };
      return {
        end: 'returned',
        output,
        result: { format: 'json', json: encoder.encode(JSON.stringify(value ?? null)) },
      };
    } catch (error) {
      return { end: 'raised', error: `${(error as Error).message}\nTraceback`, output };
    }
  }

  async packagesChanged(changes: readonly InstalledChange[]): Promise<void> {
    this.changes.push(...changes);
  }

  async closeEnvironment(id: string): Promise<boolean> {
    for (const { environment } of this.#atWork) if (environment === id) return false;
    this.closedEnvironments.push(id);
    return true;
  }

  async runners(): Promise<readonly RunnerReport[]> {
    return [...this.#atWork];
  }

  async close(): Promise<void> {
    this.#closed = true;
  }
}

/** A handler goes by the name of its file. */
function nameOf(call: Call): string {
  switch (call.kind) {
    case 'function':
      return call.functionName;
    case 'class':
      return call.methodName;
    case 'handler':
      return call.file;
  }
}

interface Interruption {
  readonly end: 'cancelled' | 'timed-out';
  readonly error: string;
}

function watch({ signal, timeoutMs }: RunOptions, end: AbortController): Promise<Interruption> {
  return new Promise((resolve) => {
    const stop = (interruption: Interruption) => () => {
      resolve(interruption);
      end.abort();
    };
    const onAbort = stop({ end: 'cancelled', error: 'the request was cancelled' });
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    if (timeoutMs)
      setTimeout(stop({ end: 'timed-out', error: `longer than ${timeoutMs} ms` }), timeoutMs).unref();
  });
}

function isInterruption(value: unknown): value is Interruption {
  return typeof value === 'object' && value !== null && 'end' in value && 'error' in value;
}

/** A fake function may give the whole outcome. */
function isExecution(value: unknown): value is Execution {
  return typeof value === 'object' && value !== null && 'end' in value && 'output' in value;
}

function talkTo({ onProgress, onChunk }: RunOptions): Pick<FakeCall, 'progress' | 'chunk'> {
  return {
    progress: (value) => onProgress?.(encoder.encode(JSON.stringify(value))),
    chunk: async (value) => onChunk?.(encoder.encode(JSON.stringify(value))),
  };
}

function argumentsOf({ payload }: Call): Pick<FakeCall, 'args' | 'kwargs'> {
  const body = JSON.parse(new TextDecoder().decode(payload.bytes)) as Record<string, unknown>;
  const request = (payload.requestAt === 'input' ? body.input : body) as Partial<FakeCall>;
  return { args: request.args ?? [], kwargs: request.kwargs ?? {} };
}
