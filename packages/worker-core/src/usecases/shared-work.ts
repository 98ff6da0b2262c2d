/** What a caller wants to know of work that it may share with others. */
export interface Interest {
  readonly signal?: AbortSignal | undefined;
  /** Receives the work's lines. Must not throw. */
  readonly onLine?: ((line: string) => void) | undefined;
}

/** What the work itself is given. */
export interface WorkContext {
  /** Aborts when no caller waits for the work any more. */
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

interface Share<T> {
  readonly end: Promise<T>;
  readonly abort: AbortController;
  readonly listeners: Set<(line: string) => void>;
  waiters: number;
}

/**
 * Work that is done once for all who ask for the same at the same time. One of them may leave without the others losing it; the last one to
 * leave ends it.
 */
export class SharedWork<T> {
  readonly #shares = new Map<string, Share<T>>();

  isUnderWay(key: string): boolean {
    return this.#shares.has(key);
  }

  /** @throws what `cancelled` makes, when the caller's signal aborts; else what the work throws. */
  async join(
    key: string,
    { signal, onLine }: Interest,
    cancelled: () => Error,
    work: (context: WorkContext) => Promise<T>,
  ): Promise<T> {
    if (signal?.aborted) throw cancelled();
    const known = this.#shares.get(key);
    // Work that all callers have left is on its way to its end.
    const share = known === undefined || known.abort.signal.aborted ? this.#begin(key, work) : known;
    const left = Promise.withResolvers<never>();
    const leave = (): void => left.reject(cancelled());
    signal?.addEventListener('abort', leave, { once: true });
    if (onLine !== undefined) share.listeners.add(onLine);
    share.waiters++;
    try {
      return await Promise.race([share.end, left.promise]);
    } finally {
      signal?.removeEventListener('abort', leave);
      if (onLine !== undefined) share.listeners.delete(onLine);
      if (--share.waiters === 0) share.abort.abort();
    }
  }

  #begin(key: string, work: (context: WorkContext) => Promise<T>): Share<T> {
    const abort = new AbortController();
    const listeners = new Set<(line: string) => void>();
    const onLine = (line: string): void => {
      for (const listener of listeners) listener(line);
    };
    const share: Share<T> = {
      end: work({ signal: abort.signal, onLine }).finally(() => {
        if (this.#shares.get(key) === share) this.#shares.delete(key);
      }),
      abort,
      listeners,
      waiters: 0,
    };
    // The callers that wait hear of a failure; without this it would be unhandled when none waits any more.
    share.end.catch(() => {});
    this.#shares.set(key, share);
    return share;
  }
}
