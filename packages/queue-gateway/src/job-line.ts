import type { JobEntry } from './job-entry.ts';
import type { Lease, TakeRequest } from './job-store.ts';

interface Taker {
  readonly request: TakeRequest;
  readonly give: (leases: Lease[]) => void;
}

/** Where jobs wait for workers and workers for jobs, both first come first served. */
export class JobLine {
  readonly #entries: JobEntry[] = [];
  readonly #takers: Taker[] = [];
  readonly #handOut: (entry: JobEntry, request: TakeRequest) => Lease;

  /** @param handOut - makes a job the work of who asked; called once for every job that leaves the line. */
  constructor(handOut: (entry: JobEntry, request: TakeRequest) => Lease) {
    this.#handOut = handOut;
  }

  /** How many jobs wait. */
  get length(): number {
    return this.#entries.length;
  }

  get entries(): readonly JobEntry[] {
    return this.#entries;
  }

  add(entry: JobEntry): void {
    this.#entries.push(entry);
    this.#serve();
  }

  /** For a job that was handed out before: it is the next. One that waits already stays where it is. */
  addFirst(entry: JobEntry): void {
    if (this.#entries.includes(entry)) return;
    this.#entries.unshift(entry);
    this.#serve();
  }

  /** Does nothing when the job does not wait. */
  remove(entry: JobEntry): void {
    const index = this.#entries.indexOf(entry);
    if (index >= 0) this.#entries.splice(index, 1);
  }

  /** As `JobStore.take`. */
  take(request: TakeRequest): Promise<Lease[]> {
    const { signal } = request;
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const taker: Taker = {
        request,
        give: (leases) => {
          signal.removeEventListener('abort', leave);
          resolve(leases);
        },
      };
      const leave = (): void => {
        this.#takers.splice(this.#takers.indexOf(taker), 1);
        reject(signal.reason);
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#takers.push(taker);
      this.#serve();
    });
  }

  #serve(): void {
    for (const taker of [...this.#takers]) {
      const leases = this.#takeFor(taker.request);
      if (leases.length === 0) continue;
      this.#takers.splice(this.#takers.indexOf(taker), 1);
      taker.give(leases);
    }
  }

  #takeFor(request: TakeRequest): Lease[] {
    const leases: Lease[] = [];
    while (leases.length < request.wanted) {
      const index = this.#entries.findIndex(
        ({ record }) => request.endpoint === undefined || record.endpoint === request.endpoint,
      );
      if (index < 0) break;
      const [entry] = this.#entries.splice(index, 1) as [JobEntry];
      leases.push(this.#handOut(entry, request));
    }
    return leases;
  }
}
