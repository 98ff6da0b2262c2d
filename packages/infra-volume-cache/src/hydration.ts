import { chmodSync, mkdirSync, readlinkSync } from 'node:fs';
import { type BytePath, diskPath, parentPath } from './byte-path.ts';
import type { CacheEntry, FileEntry, SymlinkEntry } from './cache-entry.ts';
import type { PlacedEntry, Source } from './cache-view.ts';
import { statOf } from './local/local-tree.ts';
import { PlacedFiles } from './local/placed-files.ts';
import { makeStaging, removeStaging } from './local/staging.ts';
import type { RestorationReport, Share } from './restoration.ts';

/** Mode of a new directory until everything is in it; most keep this mode. */
const newDirectoryMode = 0o755;
/** How much a thread restores at a time: enough to be worth the message, little enough that all threads end together. */
const shareBytes = 8 * 1024 * 1024;
const shareFiles = 250;

export interface HydrationReport {
  files: number;
  bytes: number;
  /** Entries that could not be brought, by what kept them. */
  damaged: number;
  blocked: number;
  /** Archives that were there when they were listed and are not any more. */
  gone: number;
}

export interface HydrationOptions {
  readonly root: string;
  /** No process looks at the directory before all of it is there: files need not appear whole. */
  readonly isPrivate: boolean;
  readonly archiveOf: (source: Source) => string;
  /** Restores shares, several at once where that is worth it. */
  readonly restoreAll: <S extends Share>(
    jobs: readonly S[],
    onRestored: (job: S, report: RestorationReport) => void,
  ) => Promise<void>;
  readonly warn: (line: string) => void;
  /** Called for everything that is in the cache directory as it is on the volume. */
  readonly onPresent: (entry: CacheEntry) => void;
  /** Called for what could not be brought because its content is not what was stored. */
  readonly onDamaged: (source: Source, paths: readonly BytePath[]) => void;
}

/** Brings to the cache directory what it lacks of the volume's. What is newer in the directory stays. */
export class Hydration {
  readonly #options: HydrationOptions;
  /** Directories, by whether this hydration has made them; `blocked`: a file or a link stands in the directory's place. */
  readonly #directories = new Map<BytePath, 'made' | 'there' | 'blocked'>();
  /** Modes of the directories that this hydration has made. */
  readonly #modes: [BytePath, number][] = [];
  readonly #report: HydrationReport = { files: 0, bytes: 0, damaged: 0, blocked: 0, gone: 0 };

  constructor(options: HydrationOptions) {
    this.#options = options;
    this.#directories.set('', options.isPrivate ? 'made' : 'there');
  }

  /**
   * May be called again for entries that were not in the first list; the report is of all of them.
   *
   * @param isLast - no further call will come: directories get their modes, which may forbid to write there.
   * @throws Error when the cache directory can't be written, or the volume not be read; what was brought until then is whole.
   */
  async run(entries: readonly PlacedEntry[], isLast = true): Promise<HydrationReport> {
    const { root, onPresent, isPrivate } = this.#options;
    const staging = isPrivate ? undefined : makeStaging(root);
    if (isPrivate) mkdirSync(root, { recursive: true });
    try {
      const links = new PlacedFiles(root, staging);
      const wanted = new Map<Source, FileEntry[]>();
      for (const { entry, source } of entries) {
        if (entry.kind === 'directory') {
          const isMade = this.#directory(entry.path) === 'made';
          if (isMade && entry.mode !== newDirectoryMode) this.#modes.push([entry.path, entry.mode]);
          if (this.#directories.get(entry.path) !== 'blocked') onPresent(entry);
        } else if (entry.kind === 'symlink') this.#symlink(entry, links);
        else if (this.#isWanted(entry)) push(wanted, source, entry);
      }
      await this.#restore(wanted, staging);
      if (isLast) this.#setModes();
      return this.#report;
    } finally {
      if (staging !== undefined) removeStaging(staging);
    }
  }

  async #restore(
    wanted: ReadonlyMap<Source, readonly FileEntry[]>,
    staging: string | undefined,
  ): Promise<void> {
    const { root, archiveOf, restoreAll } = this.#options;
    const jobs = [...wanted].flatMap(([source, files]) =>
      shares(files).map((share) => ({ source, root, staging, archive: archiveOf(source), files: share })),
    );
    const damaged = new Map<Source, BytePath[]>();
    await restoreAll(jobs, (job, report) => {
      if (report.isGone) {
        this.#report.gone++;
        return;
      }
      const bad = new Set(report.damaged);
      if (bad.size > 0) damaged.set(job.source, [...(damaged.get(job.source) ?? []), ...bad]);
      for (const file of job.files) if (!bad.has(file.path)) this.#options.onPresent(file);
      this.#report.files += job.files.length - bad.size;
      this.#report.bytes += report.bytes;
      this.#report.damaged += bad.size;
    });
    for (const [source, paths] of damaged) {
      this.#options.onDamaged(source, paths);
      this.#options.warn(
        `${paths.length} of ${wanted.get(source)?.length} files in ${source} of the volume's cache are damaged and skipped, such as ${JSON.stringify(paths[0])}`,
      );
    }
  }

  /** Sets the deepest directory first: a directory may lose the right to be entered. */
  #setModes(): void {
    const { root } = this.#options;
    this.#modes.sort(([one], [other]) => other.length - one.length);
    for (const [path, mode] of this.#modes) chmodSync(diskPath(root, path), mode);
  }

  #isWanted(entry: FileEntry): boolean {
    const directory = this.#directory(parentPath(entry.path));
    if (directory === 'made') return true;
    if (directory === 'blocked') return this.#block();
    const stat = statOf(this.#options.root, entry.path);
    if (stat === undefined) return true;
    if (stat.isDirectory()) return this.#block();
    const mtimeMs = Math.round(stat.mtimeMs);
    if (stat.isFile() && stat.size === entry.size && mtimeMs === entry.mtimeMs) {
      this.#options.onPresent(entry);
      return false;
    }
    return mtimeMs < entry.mtimeMs;
  }

  #symlink(entry: SymlinkEntry, links: PlacedFiles): void {
    const directory = this.#directory(parentPath(entry.path));
    if (directory === 'blocked') return void this.#block();
    const stat = directory === 'made' ? undefined : statOf(this.#options.root, entry.path);
    if (stat === undefined) {
      links.symlink(entry);
      this.#report.files++;
    } else if (!stat.isSymbolicLink() || this.#target(entry.path) !== entry.target) {
      // A link has no time of its last change that could be compared: the one that is there stays.
      return;
    }
    this.#options.onPresent(entry);
  }

  #target(path: BytePath): string {
    return readlinkSync(diskPath(this.#options.root, path), 'latin1');
  }

  /** Makes a directory and those above; never through a link. */
  #directory(path: BytePath): 'made' | 'there' | 'blocked' {
    const known = this.#directories.get(path);
    if (known !== undefined) return known;
    const state = this.#makeDirectory(path, this.#directory(parentPath(path)));
    this.#directories.set(path, state);
    return state;
  }

  #makeDirectory(path: BytePath, parent: 'made' | 'there' | 'blocked'): 'made' | 'there' | 'blocked' {
    if (parent === 'blocked') return 'blocked';
    const stat = parent === 'made' ? undefined : statOf(this.#options.root, path);
    if (stat !== undefined) return stat.isDirectory() ? 'there' : 'blocked';
    mkdirSync(diskPath(this.#options.root, path), { mode: newDirectoryMode });
    return 'made';
  }

  /** Thrown when something else stands in an entry's place. */
  #block(): false {
    this.#report.blocked++;
    return false;
  }
}

function push<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

/** Divides the files of an archive into runs of neighbours; hard links of one file stay together. */
function shares(files: readonly FileEntry[]): FileEntry[][] {
  const sorted = files.toSorted((one, other) => one.content.offset - other.content.offset);
  const all: FileEntry[][] = [];
  let run: FileEntry[] = [];
  let bytes = 0;
  for (const file of sorted) {
    const isTwin = run.at(-1)?.content.offset === file.content.offset;
    if (!isTwin && (bytes >= shareBytes || run.length >= shareFiles)) {
      all.push(run);
      [run, bytes] = [[], 0];
    }
    run.push(file);
    bytes += file.content.length;
  }
  if (run.length > 0) all.push(run);
  return all;
}
