import type { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '@flash/worker-core';
import type { PackageEpoch } from '../imports/package-epochs.ts';
import { newEndMark } from '../output/output-pipe.ts';
import { OutputPipes } from '../output/output-pipes.ts';
import { encodeFrame, type Frame, frameKind, resultFlag } from '../protocol/frames.ts';
import { requestBody, requestHeader } from '../protocol/request-frame.ts';
import { readResultFrame } from '../protocol/result-frame.ts';
import type { Hello } from '../protocol/runner-socket.ts';
import { refusedChunk, watchRun } from '../run/interruption.ts';
import type { Interruption, Run } from '../run/run.ts';
import { RunQueue } from '../run/run-queue.ts';
import type { Zygote } from '../zygote/zygote.ts';
import { ActiveRuns } from './active-runs.ts';
import { answerAfterChunks, ChunkRelay } from './chunk-relay.ts';
import { endInSteps } from './end-in-steps.ts';

/** After a runner's end its last bytes are waited for so long. All that could hold its pipe was killed before: it is rarely needed. */
const lastBytesMs = 2000;
export interface RunnerListener {
  /** A run has ended and the runner could take another. */
  onFree(runner: Runner): void;
  /** The runner has imported a package that was replaced: the run goes elsewhere. */
  onStale(runner: Runner, run: Run): void;
  /** The runner's instance takes overlapping calls now. */
  onConcurrent(runner: Runner, run: Run): void;
  onReady(runner: Runner): void;
  /** User code has imported modules; milliseconds by their names. */
  onImports(modules: Readonly<Record<string, number>>): void;
}

export interface RunnerOptions {
  readonly directory: string;
  readonly cancelGraceMs: number;
  readonly executionTimeoutMs: number;
  readonly maxResponseBytes: number;
  readonly maxWaiting: number;
  /** Chunks of a stream that may be under way. */
  readonly streamWindow: number;
  readonly startTimeoutMs: number;
  readonly log: Log;
}

interface ActiveRun {
  readonly id: number;
  readonly run: Run;
  readonly release: () => void;
  result: Frame | undefined;
  /** What a generator handler has yielded so far, on its way. */
  chunks?: ChunkRelay;
}

/** What the pool decides about a run it hands to a runner. */
export interface StartOptions {
  readonly epoch: PackageEpoch;
  /** The run can only run here, because its instance lives here. */
  readonly isPinned: boolean;
  /** How long the runner looks for the next request before it goes to sleep, in microseconds. */
  readonly spinUs: number;
}

/** The supervisor's side of one runner process. */
export class Runner {
  readonly id: number;
  readonly zygote: Zygote;
  /** Instances that live in it. */
  readonly instances = new Set<string>();
  /** Runs that can only run here. */
  readonly pinned: RunQueue;
  pid: number | undefined;
  /** Takes no new requests but those of its instances, and ends when it has none. */
  isRetiring = false;
  /** The supervisor itself had it killed. */
  wasKilled = false;
  idleSince = Date.now();
  readonly #options: RunnerOptions;
  readonly #listener: RunnerListener;
  readonly #endMark: Buffer;
  readonly #pipes: OutputPipes;
  readonly #startTimer: NodeJS.Timeout;
  readonly #active = new ActiveRuns<ActiveRun>();
  #data: Socket | undefined;
  #control: Socket | undefined;
  #dataClosed: Promise<void> = Promise.resolve();
  /** The run whose output the pipe carries. */
  #pipeOwner: ActiveRun | undefined;
  #endMarkSeen = false;
  #nextRequest = 1;
  #epoch = 0;
  #ended = false;
  #isReady = false;

  /** @param forkedWith - the marker of a process that was asked for already. */
  constructor(
    id: number,
    zygote: Zygote,
    options: RunnerOptions,
    listener: RunnerListener,
    forkedWith?: Buffer,
  ) {
    this.id = id;
    this.#endMark = forkedWith ?? newEndMark();
    this.zygote = zygote;
    this.#options = options;
    this.#listener = listener;
    this.pinned = new RunQueue(options.maxWaiting);
    this.#pipes = new OutputPipes(this.#endMark, {
      onBytes: (bytes) => {
        if (this.#pipeOwner !== undefined) this.#pipeOwner.run.addOutput(bytes);
        else this.#logBackground(bytes);
      },
      onEndMark: () => this.#onEndMark(),
      onBackground: (bytes) => this.#logBackground(bytes),
    });
    // One that does not get ready is killed; its end is then reported like any other.
    this.#startTimer = setTimeout(() => this.kill(), options.startTimeoutMs);
    if (forkedWith === undefined) zygote.fork(id, this.#endMark, options.maxResponseBytes);
  }

  get isReady(): boolean {
    return this.#isReady && !this.#ended;
  }

  get isIdle(): boolean {
    return this.isReady && this.#active.size === 0;
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  /** How many runs are at work in it. */
  get load(): number {
    return this.#active.size;
  }

  /** What the requests at work in it are called. */
  get requestIds(): readonly string[] {
    return [...this.#active.values()].map(({ run }) => run.options.requestId);
  }

  /** Whether every run at work belongs to this instance. */
  servesOnly(instanceId: string): boolean {
    for (const { run } of this.#active.values()) if (run.instanceId !== instanceId) return false;
    return true;
  }

  /** A connection of this runner's process. */
  attach(hello: Hello, socket: Socket): ((frame: Frame) => void) | undefined {
    if (hello.channel === 'control') {
      this.#control = socket;
      this.#becomeReady();
      return () => socket.destroy();
    }
    if (hello.resumed !== undefined) {
      // User code closed our descriptors; the answer is here, but a process in such a state gets no other request.
      this.isRetiring = true;
    } else {
      this.#pipes.open(join(this.#options.directory, `${this.id}.0.out`));
    }
    this.#data = socket;
    this.#dataClosed = new Promise((resolve) => socket.once('close', () => resolve()));
    this.#becomeReady();
    return (frame) => this.#take(frame);
  }

  /** Hands a run to the process. The pool has made sure that it may take it. */
  start(run: Run, { epoch, isPinned, spinUs }: StartOptions): void {
    const id = this.#nextRequest++;
    const release = watchRun(run, this.#options.executionTimeoutMs, (why) => this.interrupt(run, why));
    const active: ActiveRun = { id, run, release, result: undefined };
    this.#active.add(active);
    if (this.#active.size === 1) {
      this.#pipeOwner = active;
      this.#endMarkSeen = false;
    }
    const body = requestBody(run.call);
    const replaced = epoch.number === this.#epoch ? undefined : epoch.replacedSince(this.#epoch);
    this.#epoch = epoch.number;
    const { streamWindow } = this.#options;
    const header = requestHeader({ id, run, epoch: epoch.number, replaced, isPinned, streamWindow, spinUs });
    this.#send(encodeFrame(`{${header}${body.header}}`, body.pieces));
  }

  /** Lets go of an instance; done in turn with the requests. */
  dropInstance(instanceId: string): void {
    this.instances.delete(instanceId);
    const header = JSON.stringify({ id: this.#nextRequest++, drop: instanceId });
    this.#send(encodeFrame(header));
  }

  /** Ends a run from outside: asks, asks again, then kills. */
  interrupt(run: Run, interruption: Interruption): void {
    const active = this.#active.values().find((candidate) => candidate.run === run);
    if (active === undefined || run.interruption !== undefined) return;
    run.interruption = interruption;
    const { cancelGraceMs: graceMs, log } = this.#options;
    void endInSteps({
      graceMs,
      ask: (step) => this.#control?.write(`${JSON.stringify({ cancel: active.id, ...step })}\n`),
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

  /** Kills the process with its group. */
  kill(): void {
    this.wasKilled = true;
    this.zygote.kill(this.id);
  }

  /** The process is gone: its last output is read, then its runs end with `explain(exit)`. */
  async end(explain: () => string): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#startTimer);
    this.#pipes.expectEnd();
    const lastBytes = Promise.all([this.#dataClosed, this.#pipes.ended]);
    await Promise.race([lastBytes, delay(lastBytesMs, undefined, { ref: false })]);
    this.#pipes.flush();
    for (const active of [...this.#active.values()]) {
      active.release();
      if (active.result !== undefined) this.#answer(active, active.result);
      else active.run.crash(explain());
    }
    this.#active.clear();
    this.#data?.destroy();
    this.#control?.destroy();
    this.#pipes.close();
  }

  #send(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) this.#data?.write(piece);
  }

  #becomeReady(): void {
    if (this.#isReady || this.#data === undefined || this.#control === undefined) return;
    this.#isReady = true;
    clearTimeout(this.#startTimer);
    this.#listener.onReady(this);
  }

  #take(frame: Frame): void {
    const active = this.#active.get(frame.requestId);
    switch (frame.kind) {
      case frameKind.result:
        if (active !== undefined) this.#takeResult(active, frame);
        return;
      case frameKind.output:
        if (active !== undefined) active.run.addOutput(frame.body);
        else this.#logBackground(frame.body);
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
        if (this.#active.has(active.id)) this.#send(encodeFrame(JSON.stringify({ id: active.id, ack: 1 })));
      },
      onRefused: (error) => this.interrupt(active.run, refusedChunk(error)),
    });
    active.chunks.push(json);
  }

  #takeResult(active: ActiveRun, frame: Frame): void {
    active.result = frame;
    const waitsForEndMark =
      (frame.flags & resultFlag.endMark) !== 0 && this.#pipeOwner === active && !this.#endMarkSeen;
    if (waitsForEndMark) return;
    if (this.#pipeOwner === active) this.#pipes.flush();
    this.#finish(active, frame);
  }

  #finish(active: ActiveRun, frame: Frame): void {
    this.#forget(active);
    this.#answer(active, frame);
    this.#listener.onFree(this);
  }

  #answer(active: ActiveRun, frame: Frame): void {
    const { answer, newPipe } = readResultFrame(frame);
    if (newPipe !== undefined && !this.#ended) this.#replacePipe(newPipe);
    if (active.chunks === undefined) active.run.answer(answer);
    else void answerAfterChunks(active.run, active.chunks, answer);
  }

  #forget(active: ActiveRun): void {
    active.release();
    this.#active.remove(active);
    this.idleSince = Date.now();
    if (this.#pipeOwner !== active) return;
    // What C code of overlapping calls prints can't be told apart: the oldest one at work gets it.
    this.#pipeOwner = this.#active.first;
  }

  #onEndMark(): void {
    this.#endMarkSeen = true;
    const owner = this.#pipeOwner;
    if (owner?.result !== undefined) this.#finish(owner, owner.result);
  }

  #replacePipe(path: string): void {
    this.#pipes.replace(path);
    if (this.#pipes.areTooMany) this.isRetiring = true;
  }

  #logBackground(bytes: Uint8Array): void {
    this.#options.log.write('debug', Buffer.from(bytes).toString().trimEnd().slice(0, 4096), {
      source: 'background',
      runnerId: this.id,
    });
  }
}
