/**
 * Progress of one job on its way to the platform: one post at a time, the newest value first, none once the result goes out. A value
 * that could not be posted is not tried again: the next one says more.
 */
export class ProgressChannel {
  readonly #send: (json: Uint8Array) => Promise<void>;
  readonly #intervalMs: number;
  #newest: Uint8Array | undefined;
  #underWay: Promise<void> | undefined;
  #pause: NodeJS.Timeout | undefined;
  #ended = false;

  /** @param send - must not reject. */
  constructor(send: (json: Uint8Array) => Promise<void>, intervalMs: number) {
    this.#send = send;
    this.#intervalMs = intervalMs;
  }

  update(json: Uint8Array): void {
    if (this.#ended) return;
    this.#newest = json;
    if (this.#underWay === undefined && this.#pause === undefined) this.#post();
  }

  /** Sends nothing more; resolves when nothing is under way either. */
  async end(): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#pause);
    await this.#underWay;
  }

  #post(): void {
    const json = this.#newest;
    if (json === undefined || this.#ended) return;
    this.#newest = undefined;
    this.#underWay = this.#send(json).finally(() => {
      this.#underWay = undefined;
      if (this.#ended) return;
      this.#pause = setTimeout(() => {
        this.#pause = undefined;
        this.#post();
      }, this.#intervalMs);
    });
  }
}
