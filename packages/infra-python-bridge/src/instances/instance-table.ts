import { type InstanceInfo, WorkerBusyError } from '@flash/worker-core';
import type { Run } from '../run/run.ts';
import { RunQueue } from '../run/run-queue.ts';
import type { Runner } from '../runner/runner.ts';

/** Where instances live: the pool of one environment. */
export interface InstanceHome {
  submit(run: Run): void;
  /** Lets go of an instance that is about to be made elsewhere. */
  dropInstance(entry: InstanceEntry): void;
}

/** A class instance that lives, or is about to, in one runner. */
export interface InstanceEntry {
  readonly id: string;
  readonly className: string;
  /** Whether the entry is a deployed handler, which is never dropped to make room or for want of use. */
  readonly isHandler: boolean;
  /** The pool whose runner it lives in. */
  readonly home: InstanceHome;
  readonly createdAt: Date;
  lastUsed: Date;
  methodCalls: number;
  /** Runs queued or at work for it. */
  uses: number;
  /** The runner it lives in; unknown until its first run was handed to one. */
  runner: Runner | undefined;
  /** Runs that came before the first one had a runner. */
  readonly followers: RunQueue;
  /** Whether calls of its async methods may overlap. */
  isConcurrent: boolean;
}

/** Which instances live in which runner, over all pools. Bounded: the least recently used one goes when a new one needs the room. */
export class InstanceTable {
  readonly #entries = new Map<string, InstanceEntry>();
  readonly #most: number;
  readonly #mostWaiting: number;

  /** @param mostWaiting - most runs that wait for one instance to be made. */
  constructor(most: number, mostWaiting: number) {
    this.#most = most;
    this.#mostWaiting = mostWaiting;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(id: string): InstanceEntry | undefined {
    return this.#entries.get(id);
  }

  /**
   * Adds an instance, and returns the one that had to go for it.
   *
   * @throws WorkerBusyError when all are in use.
   */
  add(
    id: string,
    className: string,
    isHandler: boolean,
    home: InstanceHome,
  ): { entry: InstanceEntry; evicted: InstanceEntry | undefined } {
    const evicted = this.#entries.size >= this.#most ? this.#leastRecentlyUsed() : undefined;
    if (this.#entries.size >= this.#most && evicted === undefined) {
      throw new WorkerBusyError(
        `all ${this.#most} class instances are in use; try again later, or raise FLASH_MAX_INSTANCES`,
      );
    }
    if (evicted !== undefined) this.#entries.delete(evicted.id);
    const now = new Date();
    const entry: InstanceEntry = {
      id,
      className,
      isHandler,
      home,
      createdAt: now,
      lastUsed: now,
      methodCalls: 0,
      uses: 0,
      runner: undefined,
      followers: new RunQueue(this.#mostWaiting),
      isConcurrent: false,
    };
    this.#entries.set(id, entry);
    return { entry, evicted };
  }

  /** Marks a use; keeps the table in the order of last use. */
  use(entry: InstanceEntry): void {
    entry.uses++;
    entry.lastUsed = new Date();
    this.#entries.delete(entry.id);
    this.#entries.set(entry.id, entry);
  }

  remove(entry: InstanceEntry): void {
    if (this.#entries.get(entry.id) === entry) this.#entries.delete(entry.id);
  }

  /** Removes and returns those that lived in a runner that is gone. */
  removeOf(runner: Runner): InstanceEntry[] {
    const lost = [...this.#entries.values()].filter((entry) => entry.runner === runner);
    for (const entry of lost) this.#entries.delete(entry.id);
    return lost;
  }

  /** Removes and returns those that no run has used since `before`. */
  removeIdle(before: number): InstanceEntry[] {
    const idle = [...this.#entries.values()].filter(
      (entry) => entry.uses === 0 && !entry.isHandler && entry.lastUsed.getTime() < before,
    );
    for (const entry of idle) this.#entries.delete(entry.id);
    return idle;
  }

  /** Whether any lives in this pool; handlers don't count, they are loaded anew. */
  isHome(pool: InstanceHome): boolean {
    for (const entry of this.#entries.values()) if (entry.home === pool && !entry.isHandler) return true;
    return false;
  }

  #leastRecentlyUsed(): InstanceEntry | undefined {
    for (const entry of this.#entries.values()) if (entry.uses === 0 && !entry.isHandler) return entry;
    return undefined;
  }
}

/** The wire form of what is known of an instance. */
export function instanceInfo(entry: InstanceEntry): InstanceInfo {
  return {
    class_name: entry.className,
    created_at: entry.createdAt.toISOString(),
    last_used: entry.lastUsed.toISOString(),
    method_calls: entry.methodCalls,
  };
}
