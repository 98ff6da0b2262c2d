import type { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { newEndMark } from '../output/output-pipe.ts';
import { type Frame, frameKind } from '../protocol/frames.ts';
import { requestBody, requestHeader } from '../protocol/request-frame.ts';
import { type ResultFrame, readResultFrame } from '../protocol/result-frame.ts';
import { readRetirement } from '../protocol/retirement-frame.ts';
import type { Hello } from '../protocol/runner-socket.ts';
import { endInSteps, refusedChunk, watchRun } from '../run/interruption.ts';
import type { Interruption, Run } from '../run/run.ts';
import { RunQueue } from '../run/run-queue.ts';
import type { Zygote } from '../zygote/zygote.ts';
import { type ActiveRun, ActiveRuns } from './active-runs.ts';
import { answerAfterChunks, ChunkRelay } from './chunk-relay.ts';
import type { Killer } from './exit.ts';
import { PipeReader } from './pipe-reader.ts';
import { RunnerConnection } from './runner-connection.ts';
import type { RunnerListener, RunnerOptions, StartOptions } from './runner-options.ts';

/** How long the supervisor waits for the last output of a runner that has ended. Every process that holds the pipe was killed before, so that it rarely waits. */
const lastBytesMs = 2000;

/** The supervisor's side of one runner process. */
export class Runner {
  readonly id: number;
  readonly zygote: Zygote;
  /** Instances that live in it. */
  readonly instances = new Set<string>();
  /** Runs that can only run here. */
  readonly pinned: RunQueue;
  pid: number | undefined;
  /** Whether it takes no new requests but those of its instances, and ends when it has none. */
  isRetiring = false;
  /** Whether it was told to end as a Python process does, or ends so by itself. */
  isExiting = false;
  idleSince = Date.now();
  /** Function requests that were handed to it. */
  functionRequests = 0;
  readonly #options: RunnerOptions;
  readonly #listener: RunnerListener;
  readonly #pipe: PipeReader;
  readonly #startTimer: NodeJS.Timeout;
  readonly #active = new ActiveRuns();
  readonly #connection = new RunnerConnection();
  #exitTimer: NodeJS.Timeout | undefined;
  #killer: Killer | undefined;
  #nextRequest = 1;
  #epoch = 0;
  #ended = false;
  #isReady = false;

  /** @param forkedWith - the end mark of a process that the zygote was asked for already; without it the constructor asks. */
  constructor(
    id: number,
    zygote: Zygote,
    options: RunnerOptions,
    listener: RunnerListener,
    forkedWith?: Buffer,
  ) {
    this.id = id;
    this.zygote = zygote;
    this.#options = options;
    this.#listener = listener;
    this.pinned = new RunQueue(options.maxWaiting);
    const endMark = forkedWith ?? newEndMark();
    this.#pipe = new PipeReader({
      runnerId: id,
      endMark,
      log: options.log,
      onComplete: (active) => this.#finish(active),
    });
    // A process that does not report in time is killed, and its end is reported as any other.
    this.#startTimer = setTimeout(() => this.kill(), options.startTimeoutMs);
    if (forkedWith === undefined) zygote.fork(id, endMark, options);
  }

  get isReady(): boolean {
    return this.#isReady && !this.#ended;
  }

  /** Whether the process has ever reported. */
  get wasReady(): boolean {
    return this.#isReady;
  }

  get isIdle(): boolean {
    return this.isReady && this.#active.size === 0;
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  /** Why the supervisor killed it; `undefined` when it did not. */
  get killer(): Killer | undefined {
    return this.#killer;
  }

  /** How many runs are at work in it. */
  get load(): number {
    return this.#active.size;
  }

  /** Ids of the requests at work in it. */
  get requestIds(): readonly string[] {
    return [...this.#active.values()].map(({ run }) => run.options.requestId);
  }

  /** Whether every run at work belongs to this instance. */
  servesOnly(instanceId: string): boolean {
    for (const { run } of this.#active.values()) if (run.instanceId !== instanceId) return false;
    return true;
  }

  /** Takes over a connection of this runner's process. @returns what takes its frames. */
  attach(hello: Hello, socket: Socket): ((frame: Frame) => void) | undefined {
    if (hello.channel === 'data') {
      // User code closed the runner's connection: the runner is back with its answer, and gets no other request.
      if (hello.resumed !== undefined) this.isRetiring = true;
      else this.#pipe.open(join(this.#options.directory, `${this.id}.0.out`));
    }
    this.#connection.attach(hello, socket);
    if (!this.#isReady && this.#connection.isComplete) {
      this.#isReady = true;
      clearTimeout(this.#startTimer);
      this.#listener.onReady(this);
    }
    return hello.channel === 'data' ? (frame) => this.#take(frame) : () => socket.destroy();
  }

  /** Hands a run to the process. The pool has made sure that it may take it. */
  start(run: Run, { epoch, isPinned, spinUs }: StartOptions): void {
    const id = this.#nextRequest++;
    if (run.call.kind === 'function') this.functionRequests++;
    const release = watchRun(run, this.#options.executionTimeoutMs, (why) => this.interrupt(run, why));
    const active: ActiveRun = { id, run, release, result: undefined };
    this.#active.add(active);
    if (this.#active.size === 1) this.#pipe.begin(active);
    const body = requestBody(run.call);
    const replaced = epoch.number === this.#epoch ? undefined : epoch.replacedSince(this.#epoch);
    this.#epoch = epoch.number;
    const { streamWindow } = this.#options;
    const header = requestHeader({ id, run, epoch: epoch.number, replaced, isPinned, streamWindow, spinUs });
    this.#connection.send(`{${header}${body.header}}`, body.pieces);
  }

  /** Lets go of an instance; done in turn with the requests. */
  dropInstance(instanceId: string): void {
    this.instances.delete(instanceId);
    this.#connection.send(JSON.stringify({ id: this.#nextRequest++, drop: instanceId }));
  }

  /** Ends a run from outside: asks, asks again, then kills. */
  interrupt(run: Run, interruption: Interruption): void {
    const active = this.#active.values().find((candidate) => candidate.run === run);
    if (active === undefined || run.interruption !== undefined) return;
    run.interruption = interruption;
    const { cancelGraceMs: graceMs, log } = this.#options;
    void endInSteps({
      graceMs,
      ask: ({ again = false }) => this.#connection.cancel(active.id, again),
      isOver: () => this.#ended || !this.#active.has(active.id),
      kill: () => {
        log.write('warn', 'a run did not end in its grace period: its process is killed', {
          requestId: run.options.requestId,
          runnerId: this.id,
          pid: this.pid,
        });
        this.kill();
      },
    });
  }

  /**
   * Has the process end as Python does: it waits for its threads and runs its exit functions. It is killed when that takes longer than
   * `FLASH_RUNNER_EXIT_MS`.
   *
   * @param isAsked - whether the process ends by itself and need not be told.
   */
  exit(isAsked: boolean): void {
    if (this.isExiting || this.#ended) return;
    this.isExiting = true;
    if (!isAsked) this.#connection.send(JSON.stringify({ id: this.#nextRequest++, exit: true }));
    this.#exitTimer = setTimeout(() => this.kill(), this.#options.exitTimeoutMs);
  }

  /** Kills the process with its group. */
  kill(killer: Killer = 'supervisor'): void {
    this.#killer ??= killer;
    this.zygote.kill(this.id);
  }

  /** The process is gone: its last output is read, then its runs end with `explain(exit)`. */
  async end(explain: () => string): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#startTimer);
    clearTimeout(this.#exitTimer);
    this.#pipe.expectEnd();
    const lastBytes = Promise.all([this.#connection.closed, this.#pipe.ended]);
    await Promise.race([lastBytes, delay(lastBytesMs, undefined, { ref: false })]);
    this.#pipe.close();
    for (const active of [...this.#active.values()]) {
      active.release();
      if (active.result !== undefined) this.#answer(active, active.result);
      else active.run.crash(explain());
    }
    this.#active.clear();
    this.#connection.destroy();
  }

  #take(frame: Frame): void {
    const active = this.#active.get(frame.requestId);
    switch (frame.kind) {
      case frameKind.result:
        if (active !== undefined) this.#takeResult(active, readResultFrame(frame));
        return;
      case frameKind.output:
        if (active !== undefined) active.run.addOutput(frame.body);
        else this.#pipe.addBackground(frame.body);
        return;
      case frameKind.progress:
        active?.run.options.onProgress?.(frame.body);
        return;
      case frameKind.chunk:
        if (active !== undefined) this.#takeChunk(active, frame.body);
        return;
      case frameKind.imports:
        this.#listener.onImports(JSON.parse(frame.body.toString()) as Record<string, number>);
        return;
      case frameKind.concurrent:
        if (active !== undefined) this.#listener.onConcurrent(this, active.run);
        return;
      case frameKind.retire:
        this.#listener.onRetire(this, readRetirement(frame));
        return;
      case frameKind.stale:
        if (active === undefined) return;
        this.#forget(active);
        this.#listener.onStale(this, active.run);
        return;
    }
  }

  #takeChunk(active: ActiveRun, json: Buffer): void {
    const { onChunk } = active.run.options;
    active.chunks ??= new ChunkRelay({
      deliver: async (chunk) => onChunk?.(chunk),
      onDelivered: () => {
        if (this.#active.has(active.id)) this.#connection.send(JSON.stringify({ id: active.id, ack: 1 }));
      },
      onRefused: (error) => this.interrupt(active.run, refusedChunk(error)),
    });
    active.chunks.push(json);
  }

  #takeResult(active: ActiveRun, result: ResultFrame): void {
    active.result = result;
    if (this.#pipe.isComplete(active, result.hasEndMark)) this.#finish(active);
  }

  #finish(active: ActiveRun): void {
    this.#forget(active);
    if (active.result !== undefined) this.#answer(active, active.result);
    this.#listener.onFree(this);
  }

  #answer({ run, chunks }: ActiveRun, { answer }: ResultFrame): void {
    if (chunks === undefined) run.answer(answer);
    else void answerAfterChunks(run, chunks, answer);
  }

  #forget(active: ActiveRun): void {
    active.release();
    this.#active.remove(active);
    this.idleSince = Date.now();
    this.#pipe.end(active, this.#active.first);
  }
}
