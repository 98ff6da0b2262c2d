import {
  type Call,
  type Execution,
  type HandlerAnswer,
  type HandlerFailure,
  HeadTailBuffer,
  type InstanceInfo,
  type RunEnd,
  type RunOptions,
} from '@flash/worker-core';

/** What a runner answered for a run. */
export interface Answer {
  readonly success: boolean;
  readonly format: 'cloudpickle' | 'json';
  readonly body: Buffer;
  readonly error: string | undefined;
  /** Whether the call's instance lives now. */
  readonly hasInstance: boolean;
  /** What a handler said beside its output. */
  readonly handler?: HandlerAnswer | undefined;
  /** Whether a handler returned nothing besides what `handler` holds. */
  readonly isEmpty?: boolean | undefined;
  /** The exception of a handler. */
  readonly failure?: HandlerFailure | undefined;
}

/** Why a run is being ended from outside. */
export interface Interruption {
  readonly end: Extract<RunEnd, 'cancelled' | 'timed-out' | 'raised'>;
  readonly message: string;
}

/** One call on its way through the pool: its output, and the promise of its outcome. */
export class Run {
  readonly call: Call;
  readonly options: RunOptions;
  /** Set for class calls and handlers: the instance it belongs to, generated when the request named none. */
  readonly instanceId: string | undefined;
  /** Whether the call makes the instance anew. */
  readonly createInstance: boolean;
  /** When it began to wait for a runner, on the clock of `performance.now()`. */
  waitingSince = 0;
  interruption: Interruption | undefined;
  /** False when the call's instance could not be made. */
  hasInstance = true;
  instanceInfo: (() => InstanceInfo | undefined) | undefined;
  readonly #outcome = Promise.withResolvers<Execution>();
  readonly #maxOutputBytes: number;
  #output: HeadTailBuffer | undefined;
  #settled = false;

  constructor(call: Call, options: RunOptions, instanceId: string | undefined, maxOutputBytes: number) {
    this.call = call;
    this.options = options;
    this.instanceId = instanceId;
    this.createInstance = call.kind === 'class' && call.createNewInstance;
    this.#maxOutputBytes = maxOutputBytes;
  }

  get outcome(): Promise<Execution> {
    return this.#outcome.promise;
  }

  /** Bytes of output that the outcome leaves out; known when the run has its outcome. */
  get cutBytes(): number {
    return this.#output?.cutBytes ?? 0;
  }

  get isSettled(): boolean {
    return this.#settled;
  }

  addOutput(bytes: Uint8Array): void {
    if (this.#settled) return;
    this.#output ??= new HeadTailBuffer(this.#maxOutputBytes, 'FLASH_MAX_OUTPUT_BYTES');
    this.#output.append(bytes);
    this.options.onOutput?.(bytes);
  }

  /** The runner has answered. A run that was interrupted but came to its result all the same keeps the result. */
  answer({ success, format, body, error, hasInstance, handler, isEmpty, failure }: Answer): void {
    this.hasInstance = hasInstance;
    if (success) {
      const result = format === 'json' ? { format, json: body } : { format, base64: body };
      this.#settle({ end: 'returned', result: isEmpty ? undefined : result, handler });
    } else if (this.interruption !== undefined) {
      const { end, message } = this.interruption;
      this.#settle({
        end,
        error: error?.startsWith(message) ? error : `${message}\n${error ?? ''}`.trimEnd(),
      });
    } else {
      this.#settle({ end: 'raised', error: error || 'the code failed without a message', failure });
    }
  }

  /** The runner is gone. */
  crash(message: string): void {
    this.hasInstance = false;
    if (this.interruption !== undefined) {
      this.#settle({ end: this.interruption.end, error: this.interruption.message });
    } else {
      this.#settle({ end: 'crashed', error: message });
    }
  }

  /** The run ends before it reached a runner. */
  abandon(interruption: Interruption): void {
    this.hasInstance = false;
    this.#settle({ end: interruption.end, error: interruption.message });
  }

  /** Places the run by `place`, which throws when a queue is full: then this run is refused, and the caller goes on. */
  placeOrRefuse(place: () => void): void {
    try {
      place();
    } catch (error) {
      this.refuse(error as Error);
    }
  }

  /** The run could not be started for a reason of the worker. */
  refuse(error: Error): void {
    if (this.#settled) return;
    this.hasInstance = false;
    this.#settled = true;
    this.#outcome.reject(error);
  }

  #settle(end: Pick<Execution, 'end' | 'result' | 'error' | 'handler' | 'failure'>): void {
    if (this.#settled) return;
    this.#settled = true;
    const showsInstance = this.hasInstance && this.call.kind === 'class';
    this.#outcome.resolve({
      ...end,
      output: this.#output?.toString() ?? '',
      instanceId: showsInstance ? this.instanceId : undefined,
      instanceInfo: showsInstance ? this.instanceInfo?.() : undefined,
    });
  }
}
