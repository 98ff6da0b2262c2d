import type { AppPlace, AppServerListener } from '@flash/worker-core';

/** What is told to a process that serves the app. */
interface Server {
  place(place: AppPlace, share: boolean): void;
  steer(processes: number): void;
}

/**
 * Who of the app's processes listens, and whether connections reach them. The caller's own socket stays on the port where the kernel
 * can be told to pass it by; where it can't, the caller lets go of it.
 */
export class PortSteering<T extends Server> {
  readonly #place: AppPlace;
  readonly #listener: Pick<AppServerListener, 'ready' | 'releasePort'>;
  readonly #listening = new Set<T>();
  /** The process that was asked to tell the kernel, and of how many. */
  #asked: { readonly process: T; readonly processes: number } | undefined;
  readonly #share: boolean;
  #isReady = false;

  /** @param share - the app has several processes, which share the port in any case. */
  constructor(place: AppPlace, share: boolean, listener: Pick<AppServerListener, 'ready' | 'releasePort'>) {
    this.#share = share || place.isShared;
    this.#place = place;
    this.#listener = listener;
  }

  /** Whether none of them listens. */
  get isEmpty(): boolean {
    return this.#listening.size === 0;
  }

  /** A process has started its app and may bind. */
  async admit(process: T): Promise<void> {
    if (!this.#place.isShared) await this.#listener.releasePort();
    process.place(this.#place, this.#share);
  }

  joined(process: T): void {
    this.#listening.add(process);
    this.#steer();
  }

  left(process: T): void {
    if (!this.#listening.delete(process)) return;
    if (this.#asked?.process === process) this.#asked = undefined;
    if (this.isEmpty) this.#isReady = false;
    this.#steer();
  }

  /** A process has told the kernel, or could not. */
  async steered(process: T, isSteered: boolean): Promise<void> {
    const asked = this.#asked;
    if (asked?.process !== process) return;
    this.#asked = undefined;
    if (asked.processes !== this.#listening.size) return this.#steer();
    if (!isSteered) await this.#listener.releasePort();
    if (this.#isReady || this.isEmpty) return;
    this.#isReady = true;
    this.#listener.ready();
  }

  /** One question at a time; its answer asks the next when things have changed meanwhile. */
  #steer(): void {
    const [process] = this.#listening;
    if (process === undefined || this.#asked !== undefined) return;
    this.#asked = { process, processes: this.#listening.size };
    process.steer(this.#listening.size);
  }
}
