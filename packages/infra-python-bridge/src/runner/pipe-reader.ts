import { LineSplitter } from '@flash/command-runner';
import type { Log } from '@flash/worker-core';
import { OutputPipe } from '../output/output-pipe.ts';
import type { ActiveRun } from './active-runs.ts';

export interface PipeReaderOptions {
  readonly runnerId: number;
  /** Ends the output of one request; see {@link newEndMark}. */
  readonly endMark: Buffer;
  readonly log: Log;
  /** All output of a run that has been answered is here now. */
  readonly onComplete: (active: ActiveRun) => void;
}

/** Reads what a runner and its children print, and knows which run it belongs to. What belongs to none goes to the log. */
export class PipeReader {
  readonly #options: PipeReaderOptions;
  /** What is printed between two requests: by threads and children that an instance keeps, or by a process about to end. */
  readonly #background: LineSplitter;
  #pipe: OutputPipe | undefined;
  /** The run whose output the pipe carries. */
  #owner: ActiveRun | undefined;
  #endMarkSeen = false;

  constructor(options: PipeReaderOptions) {
    this.#options = options;
    const { log, runnerId } = options;
    this.#background = new LineSplitter((line) =>
      log.write('info', line, { source: 'background', runnerId }),
    );
  }

  /** Resolves when every holder of the pipe has closed it. */
  get ended(): Promise<void> | undefined {
    return this.#pipe?.ended;
  }

  open(path: string): void {
    this.#pipe = new OutputPipe(path, this.#options.endMark, {
      onBytes: (bytes) => this.#take(bytes),
      onEndMark: () => {
        this.#endMarkSeen = true;
        if (this.#owner?.result !== undefined) this.#options.onComplete(this.#owner);
      },
    });
  }

  /** Called when a run begins that is alone in the runner: output belongs to it from now on. */
  begin(active: ActiveRun): void {
    this.#owner = active;
    this.#endMarkSeen = false;
  }

  /** Whether all output of a run that was answered has come. `marked`: its process has put an end mark behind it. */
  isComplete(active: ActiveRun, marked: boolean): boolean {
    if (this.#owner !== active) return true;
    if (marked && !this.#endMarkSeen) return false;
    this.#pipe?.flush();
    return true;
  }

  /** Called when a run is over. Output of C code in overlapping calls can't be told apart: the oldest call still at work gets it. */
  end(active: ActiveRun, oldest: ActiveRun | undefined): void {
    if (this.#owner === active) this.#owner = oldest;
  }

  /** Output of a request that is over. */
  addBackground(bytes: Uint8Array): void {
    this.#background.push(bytes);
  }

  /** Called when the process is gone: its last output is about to come. */
  expectEnd(): void {
    this.#pipe?.expectEnd();
  }

  close(): void {
    this.#pipe?.flush();
    this.#background.end();
    this.#pipe?.close();
  }

  #take(bytes: Buffer): void {
    if (this.#owner !== undefined) this.#owner.run.addOutput(bytes);
    else this.#background.push(bytes);
  }
}
