import type { BytePath } from './byte-path.ts';

/** What of the cache directory is known to be on the volume, by its signature. */
export class KnownEntries {
  readonly #signatures = new Map<BytePath, string>();
  readonly #young = new Set<BytePath>();

  has(path: BytePath, signature: string): boolean {
    return this.#signatures.get(path) === signature;
  }

  /** @param isYoung - it had just been written when it was stored, and must be compared once more. */
  add(path: BytePath, signature: string, isYoung: boolean): void {
    this.#signatures.set(path, signature);
    if (isYoung) this.#young.add(path);
    else this.#young.delete(path);
  }

  isYoung(path: BytePath): boolean {
    return this.#young.has(path);
  }
}
