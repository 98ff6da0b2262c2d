import type { Runner } from '../runner/runner.ts';

/** Runners of one pool that have nothing to do. */
export class IdleRunners {
  /** The idle runners; the most recently used one is the last. */
  readonly #runners: Runner[] = [];

  get size(): number {
    return this.#runners.length;
  }

  add(runner: Runner): void {
    if (!this.#runners.includes(runner)) this.#runners.push(runner);
  }

  remove(runner: Runner): void {
    const index = this.#runners.indexOf(runner);
    if (index >= 0) this.#runners.splice(index, 1);
  }

  /**
   * The most recently used one that keeps no instance.
   *
   * @param orAnother - asked when all keep some: whether one of those may be taken.
   */
  take(orAnother: () => boolean): Runner | undefined {
    const last = this.#runners.at(-1);
    if (last === undefined) return undefined;
    if (last.instances.size === 0) return this.#runners.pop();
    const index = this.#runners.findLastIndex((runner) => runner.instances.size === 0);
    if (index >= 0) return this.#runners.splice(index, 1)[0];
    return orAnother() ? this.#runners.pop() : undefined;
  }

  /** The most recently used one, whatever it keeps. */
  takeLast(): Runner | undefined {
    return this.#runners.pop();
  }

  /** The runners that keep no instance, least recently used first. */
  spare(): readonly Runner[] {
    return this.#runners.filter((runner) => runner.instances.size === 0);
  }
}
