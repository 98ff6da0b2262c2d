import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import picomatch from 'picomatch';
import type { CacheView, PlacedEntry } from './cache-view.ts';
import { sourcesOfCompiled } from './compiled-sources.ts';
import { Hydration, type HydrationOptions, type HydrationReport } from './hydration.ts';
import { KnownEntries } from './known-entries.ts';
import { LocalTree } from './local/local-tree.ts';
import type { FetchStage, KeptPlace } from './kept-place.ts';
import { restore, type Share } from './restoration.ts';
import { Publication } from './publication.ts';
import { SegmentDirectory } from './volume/segment-directory.ts';
import { SegmentIndex } from './volume/segment-index.ts';

/** What a name may be: it becomes a directory on the volume. */
const safeName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

export interface KeptDirectoriesOptions {
  /** Where on the volume they are: below it one directory of segments for each name. */
  readonly path: string;
  readonly restoreAll: HydrationOptions['restoreAll'];
  readonly warn: (line: string) => void;
}

/** Directories that are kept whole under a name, each in segments of its own. */
export class KeptDirectories {
  readonly #options: KeptDirectoriesOptions;
  /** The directory whose manifest was read ahead, until it is fetched. */
  #ahead: { readonly name: string; readonly index: SegmentIndex } | undefined;

  constructor(options: KeptDirectoriesOptions) {
    this.#options = options;
  }

  /** Most recently used first. */
  names(): string[] {
    return this.#all()
      .sort((one, other) => other.lastUsed - one.lastUsed)
      .map(({ name }) => name);
  }

  /**
   * Brings a directory to a path where nothing is. Files that `first` matches come before all others, those that `last` matches after them;
   * `onStage` is told how far it has come. A directory that was told to be usable stays, also when the rest can't be brought.
   *
   * @returns whether all files are there; if not, the directory is empty, or holds what made it usable.
   */
  async fetch(
    { name, directory: target, first = [], last = [] }: KeptPlace,
    onStage: (stage: FetchStage) => void,
  ): Promise<boolean> {
    const directory = this.#directory(name);
    const index = this.#index(name);
    if (index.manifests.size === 0) return false;
    let isWhole = false;
    let isUsable = false;
    try {
      const { early, main, late } = divide(index.view.consistent(), first, last);
      // This thread brings the first files by itself: they are few.
      let restoreAll: HydrationOptions['restoreAll'] = async (jobs, onRestored) => {
        for (const job of jobs) onRestored(job, restore(job));
      };
      const hydration = new Hydration({
        root: target,
        isPrivate: true,
        archiveOf: (source) => directory.archivePath(source),
        restoreAll: (jobs, onRestored) => restoreAll(jobs, onRestored),
        warn: this.#options.warn,
        onPresent: () => {},
        onDamaged: () => {},
      });
      await hydration.run(early, false);
      onStage('first');
      const withTimes = withTimesThatMatter(index.view);
      restoreAll = (jobs, onRestored) => this.#options.restoreAll(jobs.map(withTimes), onRestored);
      isUsable = hasCome(await hydration.run(main, false));
      if (isUsable) onStage('usable');
      isWhole = hasCome(await hydration.run(late));
    } finally {
      if (!isWhole && !isUsable) rmSync(target, { recursive: true, force: true });
    }
    // Half of a directory is of no use: a worker that has it whole keeps it anew.
    if (!isWhole) this.#remove(directory);
    else for (const id of index.manifests.keys()) directory.tryNoteUse(id);
    return isWhole;
  }

  /** Reads the list of a directory's files before it is fetched. Never throws: `fetch` says what is wrong. */
  readAhead(name: string): void {
    try {
      this.#ahead = { name, index: this.#index(name) };
    } catch {
      this.#ahead = undefined;
    }
  }

  /** Writes a directory to the volume, unless there is one of that name. @returns its bytes; 0 when there was one. */
  keep(name: string, source: string): number {
    const directory = this.#directory(name);
    const index = this.#index(name);
    if (index.manifests.size > 0) return 0;
    mkdirSync(directory.path, { recursive: true });
    const { ino } = statSync(source);
    const report = new Publication({
      tree: new LocalTree(source, () => false),
      known: new KnownEntries(),
      index,
      directory,
      // The directory is one segment, which exists as a whole or not at all.
      segmentBytes: Number.POSITIVE_INFINITY,
      bigFileBytes: Number.POSITIVE_INFINITY,
      // A directory that is being removed meanwhile must not be kept in part.
      beforePublish: () => {
        if (statSync(source, { throwIfNoEntry: false })?.ino !== ino)
          throw new Error(`${source} went away while it was to be kept`);
      },
    }).run(true);
    return report.bytes;
  }

  /** The kept directories with their sizes and last uses, for the budget. */
  candidates(): { readonly bytes: number; readonly lastUsed: number; readonly remove: () => void }[] {
    return this.#all().map(({ directory, bytes, lastUsed }) => ({
      bytes,
      lastUsed,
      remove: () => this.#remove(directory),
    }));
  }

  removeLeftovers(ageMs: number): void {
    for (const name of this.#namesOnVolume()) this.#directory(name).removeLeftovers(ageMs);
  }

  #index(name: string): SegmentIndex {
    const ahead = this.#ahead;
    if (ahead?.name === name) this.#ahead = undefined;
    const index =
      ahead?.name === name ? ahead.index : new SegmentIndex(this.#directory(name), this.#options.warn);
    index.refresh();
    return index;
  }

  #all(): { name: string; directory: SegmentDirectory; bytes: number; lastUsed: number }[] {
    return this.#namesOnVolume().flatMap((name) => {
      const directory = this.#directory(name);
      const states = directory.list().flatMap((id) => directory.state(id) ?? []);
      if (states.length === 0) return [];
      const bytes = states.reduce((sum, state) => sum + state.bytes, 0);
      return { name, directory, bytes, lastUsed: Math.max(...states.map((state) => state.lastUsed)) };
    });
  }

  #remove(directory: SegmentDirectory): void {
    for (const id of directory.list()) directory.remove(id);
  }

  #namesOnVolume(): string[] {
    if (!existsSync(this.#options.path)) return [];
    return readdirSync(this.#options.path).filter((name) => safeName.test(name));
  }

  /** @throws Error when a directory can't be kept under the name. */
  #directory(name: string): SegmentDirectory {
    if (!safeName.test(name)) throw new Error(`${JSON.stringify(name)} can't be a name on the volume`);
    return new SegmentDirectory(join(this.#options.path, name));
  }
}

/** Divides entries by when they come. Hard links of one file stay together: with the earliest of them. */
function divide(
  entries: readonly PlacedEntry[],
  first: readonly string[],
  last: readonly string[],
): Record<'early' | 'main' | 'late', PlacedEntry[]> {
  const [isFirst, isLast] = [first, last].map(matcher);
  const parts: Record<'early' | 'main' | 'late', PlacedEntry[]> = { early: [], main: [], late: [] };
  const partOf = ({ entry: { kind, path } }: PlacedEntry): keyof typeof parts => {
    // Directories come with what is in them; empty ones are made in between.
    if (kind !== 'directory' && isFirst?.(path)) return 'early';
    return isLast?.(path) ? 'late' : 'main';
  };
  const earliest = new Map<string, keyof typeof parts>();
  const order = ['early', 'main', 'late'] as const;
  const placed = entries.map((one) => ({ one, part: partOf(one), content: contentOf(one) }));
  for (const { part, content } of placed) {
    const known = content === undefined ? undefined : earliest.get(content);
    if (content !== undefined && (known === undefined || order.indexOf(part) < order.indexOf(known)))
      earliest.set(content, part);
  }
  for (const { one, part, content } of placed)
    parts[(content === undefined ? undefined : earliest.get(content)) ?? part].push(one);
  return parts;
}

/** Compiles the globs once, as they are matched with thousands of paths. */
function matcher(globs: readonly string[]): (path: string) => boolean {
  const patterns = globs.map((glob) => picomatch.makeRe(glob, { dot: true }));
  return (path) => patterns.some((pattern) => pattern.test(path));
}

function hasCome({ damaged, gone, blocked }: HydrationReport): boolean {
  return damaged + gone + blocked === 0;
}

function contentOf({ entry, source }: PlacedEntry): string | undefined {
  return entry.kind === 'file' ? `${source}:${entry.content.offset}` : undefined;
}

/** Marks files whose time is of no consequence. */
function withTimesThatMatter(view: CacheView): <S extends Share>(job: S) => S {
  const timed = sourcesOfCompiled(view.paths());
  return (job) => ({
    ...job,
    files: job.files.map((file) => ({ ...file, keepsTime: timed.has(file.path) })),
  });
}
