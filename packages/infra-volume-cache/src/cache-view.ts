import { type BytePath, parentPath } from './byte-path.ts';
import type { CacheEntry } from './cache-entry.ts';

/** Where an entry is: a segment's id, or the archive of the original. */
export type Source = string;

export interface PlacedEntry {
  readonly entry: CacheEntry;
  readonly source: Source;
}

/** What all segments hold together: of every path the entry that was published last. */
export class CacheView {
  readonly #placed = new Map<BytePath, PlacedEntry>();

  get size(): number {
    return this.#placed.size;
  }

  get(path: BytePath): PlacedEntry | undefined {
    return this.#placed.get(path);
  }

  add(source: Source, entries: readonly CacheEntry[]): void {
    for (const entry of entries) {
      const earlier = this.#placed.get(entry.path);
      // A merged segment holds the very entry: it stays for longer than the one it was merged from.
      const isLater =
        earlier === undefined ||
        entry.origin > earlier.entry.origin ||
        (entry.origin === earlier.entry.origin && source > earlier.source);
      if (isLater) this.#placed.set(entry.path, { entry, source });
    }
  }

  paths(): Iterable<BytePath> {
    return this.#placed.keys();
  }

  /** Whether all of it was published together. */
  get #isOfOneTime(): boolean {
    let first: string | undefined;
    for (const { entry } of this.#placed.values()) {
      first ??= entry.origin;
      if (entry.origin !== first) return false;
    }
    return true;
  }

  /** The entries that can be there together: where one path is a file to one entry and a directory to others, the latest decides. */
  consistent(): PlacedEntry[] {
    if (this.#isOfOneTime) return [...this.#placed.values()];
    const lost = new Set<BytePath>();
    const verdicts = new Map<BytePath, string>();
    for (const { entry } of this.#placed.values()) {
      for (let parent = parentPath(entry.path); parent !== ''; parent = parentPath(parent)) {
        const known = verdicts.get(parent);
        if (known !== undefined && known >= entry.origin) break;
        verdicts.set(parent, entry.origin);
      }
    }
    // A path that others are below is a directory, unless it became something else after the last of them.
    for (const [path, latestBelow] of verdicts) {
      const placed = this.#placed.get(path);
      if (placed === undefined || placed.entry.kind === 'directory') continue;
      if (placed.entry.origin <= latestBelow) lost.add(path);
    }
    return [...this.#placed.values()].filter(
      (placed) => !lost.has(placed.entry.path) && !this.#isBelowOther(placed.entry, lost),
    );
  }

  /** Whether something that is no directory, and came later, is where the entry's directory would have to be. */
  #isBelowOther(entry: CacheEntry, lost: ReadonlySet<BytePath>): boolean {
    for (let parent = parentPath(entry.path); parent !== ''; parent = parentPath(parent)) {
      const placed = this.#placed.get(parent);
      if (placed !== undefined && placed.entry.kind !== 'directory' && !lost.has(parent)) return true;
    }
    return false;
  }
}
