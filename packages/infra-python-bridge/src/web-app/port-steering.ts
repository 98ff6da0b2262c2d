import type { AppPlace, AppServerListener } from '@flash/worker-core';

/** What is told to a process that serves the app. */
interface Server {
  /**
   * Has it bind and listen.
   *
   * @param steer - of how many of the app's processes it then tells the kernel; `undefined`: it tells nothing.
   */
  place(place: AppPlace, share: boolean, steer: number | undefined): void;
  steer(processes: number): void;
}

/**
 * Knows which of the app's processes listen, and has connections reach them. The worker's own socket stays on the port where the kernel
 * can be told to pass it by; where it can't, the worker closes its socket.
 */
export class PortSteering<T extends Server> {
  readonly #place: AppPlace;
  readonly #share: boolean;
  readonly #listener: Pick<AppServerListener, 'ready' | 'releasePort'>;
  readonly #listening = new Set<T>();
  /** The process that was asked to tell the kernel, and of how many. */
  #asked: { readonly process: T; readonly processes: number } | undefined;
  /** The kernel can be told, as far as is known. */
  #canSteer: boolean;
  #isReady = false;

  /** @param share - the app has several processes, which share the port in any case. */
  constructor(place: AppPlace, share: boolean, listener: Pick<AppServerListener, 'ready' | 'releasePort'>) {
    this.#place = place;
    this.#share = share || place.isShared;
    this.#canSteer = place.isShared;
    this.#listener = listener;
  }

  /** Whether none of them listens. */
  get isEmpty(): boolean {
    return this.#listening.size === 0;
  }

  /** A process has started its app and may bind. */
  async admit(process: T): Promise<void> {
    if (!this.#place.isShared) await this.#listener.releasePort();
    process.place(this.#place, this.#share, this.#canSteer ? this.#listening.size + 1 : undefined);
  }

  /** A process listens, and has told the kernel of so many; `undefined` when it has not. */
  joined(process: T, told: number | undefined): void {
    this.#listening.add(process);
    void this.#settle(told);
  }

  left(process: T): void {
    if (!this.#listening.delete(process)) return;
    if (this.#asked?.process === process) this.#asked = undefined;
    if (this.isEmpty) this.#isReady = false;
    else this.#steer();
  }

  /** A process that was asked to has told the kernel, or could not. */
  steered(process: T, isSteered: boolean): void {
    const asked = this.#asked;
    if (asked?.process !== process) return;
    this.#asked = undefined;
    void this.#settle(isSteered ? asked.processes : undefined);
  }

  /** The kernel knows of `told` processes. */
  async #settle(told: number | undefined): Promise<void> {
    if (this.#canSteer && told === undefined) {
      this.#canSteer = false;
      await this.#listener.releasePort();
    }
    if (this.#canSteer && told !== this.#listening.size) this.#steer();
    if (this.#isReady || this.isEmpty) return;
    this.#isReady = true;
    this.#listener.ready();
  }

  /** Asks one process at a time. Its answer leads to the next question when processes have come or gone meanwhile. */
  #steer(): void {
    const [process] = this.#listening;
    if (!this.#canSteer || process === undefined || this.#asked !== undefined) return;
    this.#asked = { process, processes: this.#listening.size };
    process.steer(this.#listening.size);
  }
}
