import type { Log } from '../ports/log.ts';

/**
 * What requests run with in an installation that all of them share: later installations leave it as it was asked for
 * (docs/decisions/0011-promised-requirements.md). Bounded: what was asked for longest ago is forgotten.
 */
export class PromisedPackages {
  readonly #most: number;
  readonly #log: Log | undefined;
  /** The one asked for longest ago is first. */
  readonly #specifiers = new Set<string>();

  /** @param most - FLASH_MAX_PROMISED_REQUIREMENTS. */
  constructor(most: number, log: Log | undefined) {
    this.#most = most;
    this.#log = log;
  }

  /** @param specifiers - in a form that is the same for all the ways to write one. */
  add(specifiers: readonly string[]): void {
    for (const specifier of specifiers) {
      this.#specifiers.delete(specifier);
      this.#specifiers.add(specifier);
    }
    for (const specifier of this.#specifiers) {
      if (this.#specifiers.size <= this.#most) return;
      this.#specifiers.delete(specifier);
      this.#log?.write('warn', 'a package that an earlier request asked for is promised no longer', {
        package: specifier,
        bound: this.#most,
      });
    }
  }

  /** All of them, sorted. */
  all(): readonly string[] {
    return [...this.#specifiers].sort();
  }

  forget(specifier: string): void {
    this.#specifiers.delete(specifier);
  }
}
