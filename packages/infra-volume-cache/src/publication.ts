import { hash } from 'node:crypto';
import { readFileSync, type Stats } from 'node:fs';
import { type BytePath, diskPath, parentPath } from './byte-path.ts';
import { type FileEntry, signature } from './cache-entry.ts';
import { FileContent } from './local/file-content.ts';
import type { LocalTree } from './local/local-tree.ts';
import type { KnownEntries } from './known-entries.ts';
import type { SegmentDirectory } from './volume/segment-directory.ts';
import type { SegmentIndex } from './volume/segment-index.ts';
import { ChangedContentError, SegmentWriter } from './volume/segment-writer.ts';

/** A file that changed less than this ago may change again without another time: it is compared once more. */
const youngMs = 1000;
/** Largest file that is looked for on the volume by its content, when its time is another one. */
const mostCompared = 64 * 1024 * 1024;
/** Bytes that a segment takes for each entry besides its content. */
const entryOverhead = 1536;

export interface PublicationReport {
  files: number;
  bytes: number;
  segments: number;
  /** Some files were still being written: look again. */
  isUnfinished: boolean;
}

export interface PublicationOptions {
  readonly tree: LocalTree;
  readonly known: KnownEntries;
  readonly index: SegmentIndex;
  readonly directory: SegmentDirectory;
  readonly segmentBytes: number;
  readonly bigFileBytes: number;
  /** Called before a segment is made to exist. Throws when it must not exist. */
  readonly beforePublish?: () => void;
}

type Candidate =
  | { readonly kind: 'directory'; readonly path: BytePath; readonly mode: number }
  | { readonly kind: 'symlink'; readonly path: BytePath; readonly target: string }
  | { readonly kind: 'file'; readonly path: BytePath; readonly stat: Stats };

/** Writes to the volume what is new in the cache directory. */
export class Publication {
  readonly #options: PublicationOptions;
  readonly #report: PublicationReport = { files: 0, bytes: 0, segments: 0, isUnfinished: false };
  /** Paths of the open segment with their signatures, which are known once it exists. */
  #pending: { readonly path: BytePath; readonly signature: string; readonly isYoung: boolean }[] = [];
  #twins = new Map<string, FileEntry>();
  #writer: SegmentWriter | undefined;

  constructor(options: PublicationOptions) {
    this.#options = options;
  }

  /**
   * @param everything - look at every file, not only where a directory has changed.
   * @throws VolumeFullError, or what the file system says; then nothing is half done, and the next publication begins anew.
   */
  run(everything: boolean): PublicationReport {
    const { tree } = this.#options;
    try {
      const candidates = this.#candidates(everything);
      if (candidates.length > 0) this.#publish(candidates);
      return this.#report;
    } catch (error) {
      // The entries that were seen as changed were not published, and the tree would not show them again.
      tree.forgetAll();
      throw error;
    } finally {
      this.#writer?.discard();
    }
  }

  #candidates(everything: boolean): Candidate[] {
    const { tree, known } = this.#options;
    const candidates: Candidate[] = [];
    for (const { path, stat } of tree.changed(everything)) {
      const candidate = this.#candidate(path, stat);
      if (candidate === undefined) continue;
      if (known.has(path, signatureOf(candidate)) && !this.#wasYoung(candidate)) continue;
      candidates.push(candidate);
    }
    return candidates;
  }

  #candidate(path: BytePath, stat: Stats): Candidate | undefined {
    if (stat.isFile()) return { kind: 'file', path, stat };
    if (stat.isDirectory()) return { kind: 'directory', path, mode: stat.mode & 0o7777 };
    if (!stat.isSymbolicLink()) return undefined;
    try {
      return { kind: 'symlink', path, target: this.#options.tree.linkTarget(path) };
    } catch {
      return undefined; // gone meanwhile
    }
  }

  /** Called for an entry that was published just after it was written, and may have been written again in the same moment. */
  #wasYoung(candidate: Candidate): boolean {
    return candidate.kind === 'file' && this.#options.known.isYoung(candidate.path);
  }

  #publish(candidates: readonly Candidate[]): void {
    this.#options.index.refresh();
    const wanted = candidates.filter((candidate) => !this.#isOnVolume(candidate));
    if (wanted.length === 0) return;
    this.#makeSureItFits(wanted);
    for (const group of withTwins(wanted)) {
      const [first] = group;
      const isBig = first?.kind === 'file' && first.stat.size >= this.#options.bigFileBytes;
      if (isBig) this.#close();
      for (const candidate of group) this.#add(candidate);
      if (isBig || (this.#writer?.bytes ?? 0) >= this.#options.segmentBytes) this.#close();
    }
    this.#close();
  }

  #add(candidate: Candidate): void {
    if (candidate.kind === 'file') {
      this.#file(candidate.path);
      return;
    }
    const writer = this.#open();
    if (candidate.kind === 'directory') writer.directory(candidate.path, candidate.mode);
    else writer.symlink(candidate.path, candidate.target);
    this.#pending.push({ path: candidate.path, signature: signatureOf(candidate), isYoung: false });
  }

  /** Whether the volume has the same entry already, from this worker or another. */
  #isOnVolume(candidate: Candidate): boolean {
    const { index, known } = this.#options;
    const { path } = candidate;
    const entry = index.view.get(path)?.entry;
    if (entry === undefined || entry.kind !== candidate.kind) return false;
    const own = signatureOf(candidate);
    const isSame =
      candidate.kind === 'file' && entry.kind === 'file'
        ? this.#isSameFile(candidate, entry, own)
        : signature(entry) === own;
    if (isSame) known.add(path, own, false);
    return isSame;
  }

  #isSameFile({ path, stat }: Candidate & { kind: 'file' }, entry: FileEntry, own: string): boolean {
    if (stat.size !== entry.size) return false;
    const isSettled = !this.#options.known.isYoung(path) && Date.now() - stat.mtimeMs > youngMs;
    if (signature(entry) === own && isSettled) return true;
    const { sha256, pieces } = entry.content;
    if (sha256 === undefined || pieces !== undefined || stat.size > mostCompared) return false;
    if (entry.mode !== (stat.mode & 0o7777)) return false;
    try {
      return hash('sha256', readFileSync(diskPath(this.#options.tree.root, path)), 'base64url') === sha256;
    } catch {
      return false; // gone meanwhile: storing it will say so
    }
  }

  #makeSureItFits(wanted: readonly Candidate[]): void {
    const bytes = wanted.reduce(
      (sum, candidate) =>
        sum +
        entryOverhead +
        (candidate.kind === 'file' ? Math.min(candidate.stat.size, candidate.stat.blocks * 512) : 0),
      0,
    );
    const { free } = this.#options.directory.space();
    if (bytes > free) throw new VolumeFullError(bytes, free);
  }

  #file(path: BytePath): void {
    let content: FileContent;
    try {
      content = new FileContent(this.#options.tree.root, path);
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      // It is gone meanwhile, or is something else now, or this worker may not read it.
      if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'EPERM', 'ENXIO'].includes(code)) return;
      throw error;
    }
    try {
      if (content.stat.isFile()) this.#store(path, content);
    } finally {
      content.close();
    }
  }

  #store(path: BytePath, content: FileContent): void {
    const { stat, pieces, length } = content;
    const writer = this.#open();
    const inode = stat.nlink > 1 ? inodeOf(stat) : undefined;
    const twin = inode === undefined ? undefined : this.#twins.get(inode);
    const mtimeMs = Math.round(stat.mtimeMs);
    const head = { path, size: stat.size, mode: stat.mode & 0o7777, mtimeMs, origin: writer.id, pieces };
    try {
      const isTwin = twin !== undefined && twin.mtimeMs === mtimeMs && twin.size === stat.size;
      if (isTwin) writer.hardLink(head, twin);
      else {
        const entry = writer.file(head, length, content.read());
        if (inode !== undefined) this.#twins.set(inode, entry);
      }
    } catch (error) {
      if (!(error instanceof ChangedContentError)) throw error;
      this.#lookAgain(path);
      return;
    }
    const isYoung = Date.now() - stat.mtimeMs < youngMs || !content.isUnchanged();
    if (isYoung) this.#lookAgain(path);
    this.#pending.push({ path, signature: `f${head.mode}:${head.size}:${mtimeMs}`, isYoung });
    this.#report.files++;
    this.#report.bytes += length;
  }

  #lookAgain(path: BytePath): void {
    this.#options.tree.forget(parentPath(path));
    this.#report.isUnfinished = true;
  }

  #open(): SegmentWriter {
    this.#writer ??= new SegmentWriter(this.#options.directory);
    return this.#writer;
  }

  #close(): void {
    this.#options.beforePublish?.();
    const manifest = this.#writer?.publish();
    this.#writer = undefined;
    this.#twins = new Map();
    if (manifest === undefined) return;
    this.#report.segments++;
    this.#options.index.add(manifest);
    for (const { path, signature: own, isYoung } of this.#pending)
      this.#options.known.add(path, own, isYoung);
    this.#pending = [];
  }
}

/** The names of one file together: a hard link leads to a file of its own segment. */
function withTwins(candidates: readonly Candidate[]): Iterable<readonly Candidate[]> {
  const groups = new Map<string, Candidate[]>();
  for (const candidate of candidates) {
    const isOne = candidate.kind !== 'file' || candidate.stat.nlink === 1;
    const key = isOne ? candidate.path : inodeOf(candidate.stat);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [candidate]);
    else group.push(candidate);
  }
  return groups.values();
}

/** Begins keys that are no paths. */
function inodeOf({ dev, ino }: Stats): string {
  return `/${dev}:${ino}`;
}

function signatureOf(candidate: Candidate): string {
  switch (candidate.kind) {
    case 'file':
      return `f${candidate.stat.mode & 0o7777}:${candidate.stat.size}:${Math.round(candidate.stat.mtimeMs)}`;
    case 'directory':
      return `d${candidate.mode}`;
    case 'symlink':
      return `l${candidate.target}`;
  }
}

/** The volume has no room for what is to be kept. Nothing of it was written. */
class VolumeFullError extends Error {
  constructor(wanted: number, free: number) {
    super(
      `the volume has ${free} bytes free and the cache needs ${wanted}: enlarge the volume, remove something from it, or bound the cache with FLASH_CACHE_MAX_BYTES`,
    );
    this.name = 'VolumeFullError';
  }
}
