import type { WorkerSummary } from './console/overview.ts';

/** Most workers that are remembered. */
const mostWorkers = 1000;

interface Seen {
  readonly endpoint: string;
  lastSeen: number;
  unhealthy: string | undefined;
}

/** How many workers of an endpoint are in which state, as the platform names them. */
export interface WorkerCounts {
  readonly idle: number;
  readonly initializing: number;
  readonly ready: number;
  readonly running: number;
  readonly throttled: number;
  readonly unhealthy: number;
}

/** The workers that were heard of lately. */
export class WorkerRegistry {
  readonly #workers = new Map<string, Seen>();
  readonly #goneAfterMs: number;
  #localWorker: string | undefined;

  /** @param goneAfterMs - a worker not heard of for so long is gone. */
  constructor(goneAfterMs: number) {
    this.#goneAfterMs = goneAfterMs;
  }

  /** A worker in this process serves every endpoint, and is always there. */
  serveAll(workerId: string): void {
    this.#localWorker = workerId;
  }

  note(endpoint: string, workerId: string, unhealthy?: string): void {
    this.#workers.delete(workerId);
    this.#workers.set(workerId, { endpoint, lastSeen: Date.now(), unhealthy });
    if (this.#workers.size > mostWorkers) this.#workers.delete(this.#workers.keys().next().value as string);
  }

  /** Why each worker that reported itself unhealthy did so. */
  get unhealthy(): ReadonlyMap<string, string> {
    return new Map(
      [...this.#workers].flatMap(([id, { unhealthy }]) => (unhealthy === undefined ? [] : [[id, unhealthy]])),
    );
  }

  /** @param jobsOf - how many jobs a worker is at work on. */
  list(jobsOf: (workerId: string) => number): readonly WorkerSummary[] {
    const now = Date.now();
    const seen = [...this.#workers]
      .filter(([, { lastSeen }]) => lastSeen >= now - this.#goneAfterMs)
      .map(([id, { endpoint, lastSeen, unhealthy }]) => ({
        id,
        endpoint,
        unhealthy,
        silentMs: now - lastSeen,
        jobsInProgress: jobsOf(id),
      }));
    const local = this.#localWorker;
    if (local === undefined) return seen;
    return [{ id: local, silentMs: 0, jobsInProgress: jobsOf(local) }, ...seen];
  }

  /** @param inProgress - jobs of the endpoint that are at work. */
  count(endpoint: string, inProgress: number): WorkerCounts {
    const since = Date.now() - this.#goneAfterMs;
    const here = [...this.#workers.values()].filter(
      (worker) => worker.endpoint === endpoint && worker.lastSeen >= since,
    );
    const unhealthy = here.filter((worker) => worker.unhealthy !== undefined).length;
    const ready = here.length - unhealthy + (this.#localWorker === undefined ? 0 : 1);
    const running = Math.min(ready, inProgress);
    return { idle: ready - running, initializing: 0, ready, running, throttled: 0, unhealthy };
  }
}
