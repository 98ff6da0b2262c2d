import { OutputPipe } from './output-pipe.ts';

/** Children left running by so many requests are enough for one process. */
const mostOldPipes = 16;

export interface OutputPipesListener {
  /** Bytes of the request that the pipe is for. */
  onBytes(bytes: Buffer): void;
  /** That request's output is over. */
  onEndMark(): void;
  /** Bytes that belong to no request. */
  onBackground(bytes: Buffer): void;
}

/** The pipe a runner prints to, and those that children it has left running still hold. */
export class OutputPipes {
  readonly #endMark: Buffer;
  readonly #listener: OutputPipesListener;
  #current: OutputPipe | undefined;
  #old: OutputPipe[] = [];

  constructor(endMark: Buffer, listener: OutputPipesListener) {
    this.#endMark = endMark;
    this.#listener = listener;
  }

  /** So many old pipes are held that the runner should take no new requests. */
  get areTooMany(): boolean {
    return this.#old.length > mostOldPipes;
  }

  /** Resolves when every holder of the current pipe has closed it. */
  get ended(): Promise<void> | undefined {
    return this.#current?.ended;
  }

  open(path: string): void {
    this.#current = new OutputPipe(path, this.#endMark, this.#listener);
  }

  /** A child that was left running holds the old pipe; what it prints belongs to no request. */
  replace(path: string): void {
    const old = this.#current;
    this.open(path);
    if (old === undefined) return;
    old.redirect({ onBytes: (bytes) => this.#listener.onBackground(bytes), onEndMark: () => {} });
    this.#old.push(old);
    void old.ended.then(() => {
      this.#old = this.#old.filter((pipe) => pipe !== old);
    });
  }

  /** See {@link OutputPipe.flush}. */
  flush(): void {
    this.#current?.flush();
  }

  /** See {@link OutputPipe.expectEnd}. */
  expectEnd(): void {
    this.#current?.expectEnd();
  }

  close(): void {
    for (const pipe of [this.#current, ...this.#old]) pipe?.close();
  }
}
