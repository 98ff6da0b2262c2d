import { chmodSync, mkdirSync, openSync, readlinkSync } from 'node:fs';
import { type BytePath, diskPath, parentPath } from './byte-path.ts';
import type { CacheEntry, FileEntry, SymlinkEntry } from './cache-entry.ts';
import type { PlacedEntry, Source } from './cache-view.ts';
import { statOf } from './local/local-tree.ts';
import { DamagedContentError, PlacedFiles } from './local/placed-files.ts';
import { ArchiveReader } from './volume/archive-reader.ts';

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
  readonly openArchive: (source: Source) => number;
  readonly warn: (line: string) => void;
  /** Called for everything that is in the cache directory as it is on the volume. */
  readonly onPresent: (entry: CacheEntry) => void;
}

/** Brings to the cache directory what it lacks of the volume's. What is newer in the directory stays. */
export class Hydration {
  readonly #options: HydrationOptions;
  readonly #placed: PlacedFiles;
  /** Directories, by whether this hydration has made them; those that something else is in the place of are `blocked`. */
  readonly #directories = new Map<BytePath, 'made' | 'there' | 'blocked'>();
  readonly #report: HydrationReport = { files: 0, bytes: 0, damaged: 0, blocked: 0, gone: 0 };

  constructor(options: HydrationOptions) {
    this.#options = options;
    mkdirSync(options.root, { recursive: true });
    this.#directories.set('', 'there');
    this.#placed = new PlacedFiles(options.root);
  }

  run(entries: readonly PlacedEntry[]): HydrationReport {
    try {
      const wanted = new Map<Source, FileEntry[]>();
      const modes: [BytePath, number][] = [];
      for (const { entry, source } of entries) {
        if (entry.kind === 'directory') {
          if (this.#directory(entry.path) === 'made') modes.push([entry.path, entry.mode]);
          if (this.#directories.get(entry.path) !== 'blocked') this.#options.onPresent(entry);
        } else if (entry.kind === 'symlink') this.#symlink(entry);
        else if (this.#isWanted(entry)) push(wanted, source, entry);
      }
      for (const [source, files] of wanted) this.#restore(source, files);
      // The deepest first: a directory may lose its own right to be entered.
      modes.sort(([one], [other]) => other.length - one.length);
      for (const [path, mode] of modes) chmodSync(diskPath(this.#options.root, path), mode);
      return this.#report;
    } finally {
      this.#placed.close();
    }
  }

  #restore(source: Source, files: FileEntry[]): void {
    const { onPresent, warn, openArchive } = this.#options;
    let reader: ArchiveReader;
    try {
      reader = new ArchiveReader(openArchive(source));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      this.#report.gone++;
      return;
    }
    const damaged: BytePath[] = [];
    const twins = new Map<number, BytePath>();
    try {
      for (const file of files.sort((one, other) => one.content.offset - other.content.offset)) {
        const { offset, length } = file.content;
        const twin = twins.get(offset);
        try {
          if (twin !== undefined) this.#placed.hardLink(file.path, twin);
          else this.#placed.file(file, reader.read(offset, length));
        } catch (error) {
          if (!(error instanceof DamagedContentError)) throw error;
          damaged.push(file.path);
          continue;
        }
        twins.set(offset, file.path);
        this.#report.files++;
        this.#report.bytes += twin === undefined ? file.size : 0;
        onPresent(file);
      }
    } finally {
      reader.close();
    }
    this.#report.damaged += damaged.length;
    if (damaged.length > 0)
      warn(
        `${damaged.length} of ${files.length} files in ${source} of the volume's cache are damaged and skipped, such as ${JSON.stringify(damaged[0])}`,
      );
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

  #symlink(entry: SymlinkEntry): void {
    const directory = this.#directory(parentPath(entry.path));
    if (directory === 'blocked') return void this.#block();
    const stat = directory === 'made' ? undefined : statOf(this.#options.root, entry.path);
    if (stat === undefined) {
      this.#placed.symlink(entry);
      this.#report.files++;
    } else if (!stat.isSymbolicLink() || this.#target(entry.path) !== entry.target) {
      // A link says not when it was made to lead there: the one that is there stays.
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
    mkdirSync(diskPath(this.#options.root, path), { mode: 0o755 });
    return 'made';
  }

  /** Something else is in the place. */
  #block(): false {
    this.#report.blocked++;
    return false;
  }
}

/** Opens the archive a source names. */
export function archiveOpener(
  openSegment: (id: string) => number,
  originalPath: string | undefined,
): (source: Source) => number {
  return (source) => (source === originalPath ? openSync(source, 'r') : openSegment(source));
}

function push<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
