import type { BytePath } from '../byte-path.ts';
import type { CacheEntry } from '../cache-entry.ts';
import { CacheView } from '../cache-view.ts';
import type { OriginalArchive } from './original-archive.ts';
import type { SegmentDirectory } from './segment-directory.ts';
import type { SegmentManifest } from './segment-manifest.ts';

/** The segments of an endpoint as this worker last read them. */
export class SegmentIndex {
  readonly #directory: SegmentDirectory;
  readonly #warn: (line: string) => void;
  readonly #manifests = new Map<string, SegmentManifest>();
  readonly #unreadable = new Set<string>();
  /** Paths by the archive in which their content was found to be damaged. */
  readonly #damaged = new Map<string, Set<BytePath>>();
  #view = new CacheView();
  #original: OriginalArchive | undefined;

  constructor(directory: SegmentDirectory, warn: (line: string) => void) {
    this.#directory = directory;
    this.#warn = warn;
  }

  get view(): CacheView {
    return this.#view;
  }

  get manifests(): ReadonlyMap<string, SegmentManifest> {
    return this.#manifests;
  }

  /** Bytes of all segments on the volume. */
  get bytes(): number {
    return this.#manifests.values().reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Reads the manifests that were published since the last time, and forgets those that are gone. */
  refresh(): void {
    const ids = new Set(this.#directory.list());
    let isGone = false;
    for (const id of this.#manifests.keys()) if (!ids.has(id)) isGone = this.#manifests.delete(id) || isGone;
    if (isGone) this.#rebuild();
    for (const id of ids) {
      if (this.#manifests.has(id) || this.#unreadable.has(id)) continue;
      const manifest = this.#read(id);
      if (manifest !== undefined) this.add(manifest);
    }
  }

  add(manifest: SegmentManifest): void {
    this.#manifests.set(manifest.id, manifest);
    this.#see(manifest.id, manifest.entries);
  }

  /** A segment that can't be read counts as missing, so that a worker that has its files keeps them anew. */
  markDamaged(source: string, paths: readonly BytePath[]): void {
    this.#damaged.set(source, new Set([...(this.#damaged.get(source) ?? []), ...paths]));
    this.#rebuild();
  }

  /** Segments whose entries others that exist hold too. */
  replaced(): Set<string> {
    return new Set([...this.#manifests.values()].flatMap(({ replaces }) => replaces));
  }

  /** What the original's tarball holds counts as published before everything else. */
  addOriginal(original: OriginalArchive): void {
    this.#original = original;
    this.#see(original.path, original.entries);
  }

  #see(source: string, entries: readonly CacheEntry[]): void {
    const damaged = this.#damaged.get(source);
    this.#view.add(
      source,
      damaged === undefined ? entries : entries.filter(({ path }) => !damaged.has(path)),
    );
  }

  #rebuild(): void {
    this.#view = new CacheView();
    if (this.#original !== undefined) this.#see(this.#original.path, this.#original.entries);
    for (const [id, { entries }] of this.#manifests) this.#see(id, entries);
  }

  #read(id: string): SegmentManifest | undefined {
    try {
      return this.#directory.manifest(id);
    } catch (error) {
      // The segment was merged since the listing: another one holds its entries.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      this.#unreadable.add(id);
      this.#warn(
        `Segment ${id} of the volume's cache is skipped, its manifest can't be read: ${(error as Error).message}`,
      );
      return undefined;
    }
  }
}
