import type { EncodedResult } from '../protocol/encoded-response.ts';
import type { Call } from '../protocol/function-call.ts';
import type { InstanceInfo } from '../protocol/function-response.ts';
import type { Environment } from './environments.ts';
import type { InstalledChange } from './installer.ts';
import type { RunnerReport } from './runner-report.ts';
import type { TraceContext } from './tracer.ts';

/** What a caller of {@link Executor.run} may set. */
export interface RunOptions {
  /** Names the request in logs. */
  readonly requestId: string;
  /** Ends the run: the user's code is interrupted, after a grace period its process is killed. */
  readonly signal?: AbortSignal | undefined;
  /** Upper bound for the run itself, in milliseconds; overrides the executor's own default. 0 means none. */
  readonly timeoutMs?: number | undefined;
  /**
   * Where the code runs; `undefined`: in the base interpreter. A call of an instance that lives runs where the instance is.
   */
  readonly environment?: Environment | undefined;
  /** Where in a trace the run is; user code may go on with it. */
  readonly trace?: TraceContext | undefined;
  /** Receives what the user's code prints, as it prints it. Must not throw. */
  readonly onOutput?: ((bytes: Uint8Array) => void) | undefined;
  /** Receives what the user's code reports as its progress; JSON text. Must not throw. */
  readonly onProgress?: ((json: Uint8Array) => void) | undefined;
  /**
   * Receives what a generator handler yields, one value after the other; JSON text. The generator is held back until enough of
   * them have resolved. A rejection ends the run.
   */
  readonly onChunk?: ((json: Uint8Array) => Promise<void>) | undefined;
}

/** How a run came to its end. */
export type RunEnd = 'returned' | 'raised' | 'crashed' | 'timed-out' | 'cancelled';

/** What a handler said beside its output (docs/reference/protocol.md, Result). */
export interface HandlerAnswer {
  /** The handler yielded its output in chunks. */
  readonly isStream: boolean;
  /** `error` of the dict it returned, as text. */
  readonly error?: string | undefined;
  /** `refresh_worker` of the dict it returned. */
  readonly refreshWorker: boolean;
}

/** The exception that ended a handler. */
export interface HandlerFailure {
  /** Such as `<class 'ValueError'>`. */
  readonly type: string;
  readonly message: string;
  readonly traceback: string;
  /** Top-level module that was not found while the handler was loaded. */
  readonly missingModule?: string | undefined;
}

/** The outcome of one run. User code that fails in whatever way is an outcome, never an exception of the port. */
export interface Execution {
  readonly end: RunEnd;
  /** Present when `end` is "returned". */
  readonly result?: EncodedResult | undefined;
  /** Present and not empty when `end` is anything else. */
  readonly error?: string | undefined;
  /** What the user's code printed, bounded; "" when nothing. */
  readonly output: string;
  readonly instanceId?: string | undefined;
  readonly instanceInfo?: InstanceInfo | undefined;
  /** Present when a handler returned. `result` is left out when there was nothing but what stands here. */
  readonly handler?: HandlerAnswer | undefined;
  /** Present when a handler raised. */
  readonly failure?: HandlerFailure | undefined;
}

/** Runs the user's code. */
export interface Executor {
  /**
   * Brings up what the first run in an environment needs; `undefined`: in the base interpreter. Rejects with WorkerStartError when it
   * can't. Later calls share the first one's promise.
   */
  start(environment?: Environment): Promise<void>;
  /** Imports ahead of the next requests what earlier ones have imported, in the background of all else. Never rejects. */
  warm(environment?: Environment): Promise<void>;
  /**
   * Runs one call and resolves with its outcome.
   *
   * @throws WorkerBusyError when the waiting line is full, WorkerClosedError after {@link close}, WorkerStartError when no
   * process can be brought up.
   */
  run(call: Call, options: RunOptions): Promise<Execution>;
  /**
   * Tells that packages were installed, so that what user code imports next is the new state.
   *
   * @param environment - where; `undefined`: in the base interpreter.
   */
  packagesChanged(changes: readonly InstalledChange[], environment?: Environment): Promise<void>;
  /**
   * Ends the processes of an environment, with the instances that live there, unless something runs in it.
   *
   * @returns whether nothing of it runs any more.
   */
  closeEnvironment(id: string): Promise<boolean>;
  /** What runs user code at the moment, for operators. Looks at the system when it is asked, and not before. */
  runners(): Promise<readonly RunnerReport[]>;
  /** Ends every process that was started, with all their children. */
  close(): Promise<void>;
}
