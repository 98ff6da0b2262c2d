import { lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs';
import { type BytePath, diskPath } from '../byte-path.ts';

/** A time stamp is as coarse as the kernel's clock: a directory that changed so shortly before it was read may have changed since. */
const coarseMs = 1000;

interface KnownDirectory {
  readonly mtimeMs: number;
  readonly readAtMs: number;
  readonly directories: readonly string[];
}

/** Something below the cache directory. */
export interface LocalEntry {
  readonly path: BytePath;
  readonly stat: Stats;
}

/**
 * The cache directory as it was last seen. A look at it costs a call for each directory; files are looked at where their directory has
 * changed, or all of them when asked to.
 */
export class LocalTree {
  readonly root: string;
  readonly #isExcluded: (path: BytePath) => boolean;
  #known = new Map<BytePath, KnownDirectory>();

  constructor(root: string, isExcluded: (path: BytePath) => boolean) {
    this.root = root;
    this.#isExcluded = isExcluded;
  }

  /** What is in directories that have changed since the last look; parents come before what they hold. */
  *changed(everything: boolean): Generator<LocalEntry> {
    const seen = new Map<BytePath, KnownDirectory>();
    const waiting: BytePath[] = [''];
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      const known = this.#known.get(path);
      const stat = statOf(this.root, path);
      if (stat === undefined || !stat.isDirectory()) continue;
      const isSame =
        known !== undefined && known.mtimeMs === stat.mtimeMs && stat.mtimeMs < known.readAtMs - coarseMs;
      if (isSame && !everything) {
        seen.set(path, known);
        for (const name of known.directories) waiting.push(below(path, name));
        continue;
      }
      const directories: string[] = [];
      seen.set(path, { mtimeMs: stat.mtimeMs, readAtMs: Date.now(), directories });
      for (const entry of this.#entries(path)) {
        if (entry.stat.isDirectory()) {
          directories.push(entry.path.slice(path === '' ? 0 : path.length + 1));
          waiting.push(entry.path);
        }
        yield entry;
      }
    }
    this.#known = seen;
  }

  /** Has the next look read this directory again. */
  forget(directory: BytePath): void {
    this.#known.delete(directory);
  }

  /** Has the next look read everything again. */
  forgetAll(): void {
    this.#known.clear();
  }

  linkTarget(path: BytePath): string {
    return readlinkSync(diskPath(this.root, path), 'latin1');
  }

  *#entries(directory: BytePath): Generator<LocalEntry> {
    for (const name of namesIn(this.root, directory)) {
      const path = below(directory, name);
      if (this.#isExcluded(path)) continue;
      const stat = statOf(this.root, path);
      if (stat !== undefined) yield { path, stat };
    }
  }
}

/** What is there, without following a link; `undefined` when nothing is, or it went away meanwhile. */
export function statOf(root: string, path: BytePath): Stats | undefined {
  try {
    return lstatSync(diskPath(root, path), { throwIfNoEntry: false });
  } catch (error) {
    // The path is below something that is no directory any more.
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    throw error;
  }
}

function below(directory: BytePath, name: string): BytePath {
  return directory === '' ? name : `${directory}/${name}`;
}

function namesIn(root: string, directory: BytePath): string[] {
  try {
    return readdirSync(diskPath(root, directory), 'latin1').sort();
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    // It is gone meanwhile, or this worker may not read it.
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'].includes(code)) return [];
    throw error;
  }
}
