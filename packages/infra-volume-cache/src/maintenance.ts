import type { FileEntry } from './cache-entry.ts';
import type { KeptDirectories } from './kept-directories.ts';
import { ArchiveReader } from './volume/archive-reader.ts';
import { Lease } from './volume/lease.ts';
import type { SegmentDirectory } from './volume/segment-directory.ts';
import type { SegmentIndex } from './volume/segment-index.ts';
import type { SegmentManifest } from './volume/segment-manifest.ts';
import { ChangedContentError, SegmentWriter } from './volume/segment-writer.ts';

/** A worker that holds the lease for longer without a sign of life is taken for dead. */
const leaseMs = 60_000;
/** Files of killed writers are removed when no living one can be at work on them. */
const leftoverMs = 3_600_000;
/** A segment is small up to this part of the size at which one is closed. */
const smallPart = 8;

export interface MaintenanceOptions {
  readonly directory: SegmentDirectory;
  readonly index: SegmentIndex;
  readonly segmentBytes: number;
  readonly bigFileBytes: number;
  /** Number of small segments from which on they are merged. */
  readonly compactAt: number;
  /** Milliseconds that merged segments stay. */
  readonly graceMs: number;
  /** 0: no bound. */
  readonly maxBytes: number;
  /** Directories that are kept whole; they count towards the budget too. */
  readonly kept: KeptDirectories;
  readonly warn: (line: string) => void;
}

export interface MaintenanceReport {
  merged: number;
  removed: number;
  evicted: number;
}

/** Tidies the volume: merges small segments, removes what was merged long ago, keeps to the budget. One worker at a time. */
export class Maintenance {
  readonly #options: MaintenanceOptions;
  readonly #report: MaintenanceReport = { merged: 0, removed: 0, evicted: 0 };

  constructor(options: MaintenanceOptions) {
    this.#options = options;
  }

  /** @returns `undefined` when there is nothing to do, or another worker does it. */
  run(): MaintenanceReport | undefined {
    const { directory, index } = this.#options;
    index.refresh();
    if (!this.#isDue()) return undefined;
    const lease = new Lease(directory.path, leaseMs);
    if (!lease.take()) return undefined;
    try {
      index.refresh();
      directory.removeLeftovers(leftoverMs);
      this.#options.kept.removeLeftovers(leftoverMs);
      this.#removeReplaced(lease.volumeTime);
      this.#evict();
      this.#compact(lease);
      return this.#report;
    } finally {
      lease.release();
    }
  }

  #isDue(): boolean {
    const { index, maxBytes, compactAt } = this.#options;
    return (
      (maxBytes > 0 && index.bytes + this.#keptBytes() > maxBytes) ||
      this.#worthMerging().length >= compactAt ||
      index.replaced().size > 0
    );
  }

  #keptBytes(): number {
    return this.#options.kept.candidates().reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Small segments, and those of which more than half is superseded. */
  #worthMerging(): SegmentManifest[] {
    const { index, segmentBytes, bigFileBytes } = this.#options;
    const replaced = index.replaced();
    return [...index.manifests.values()].filter(
      (manifest) =>
        !replaced.has(manifest.id) &&
        manifest.bytes < bigFileBytes &&
        (manifest.bytes < segmentBytes / smallPart || this.#livingBytes(manifest) < manifest.bytes / 2),
    );
  }

  #living({ id, entries }: SegmentManifest): SegmentManifest['entries'] {
    const { view } = this.#options.index;
    return entries.filter((entry) => view.get(entry.path)?.source === id);
  }

  #livingBytes(manifest: SegmentManifest): number {
    return this.#living(manifest).reduce(
      (sum, entry) => sum + 512 + (entry.kind === 'file' ? entry.content.length : 0),
      0,
    );
  }

  /** Segments whose files other segments hold too, for so long that no worker reads them any more. */
  #removeReplaced(now: number): void {
    const { index, directory, graceMs } = this.#options;
    for (const manifest of index.manifests.values()) {
      if (manifest.replaces.length === 0) continue;
      if (now - directory.writtenAt(manifest.id) < graceMs) continue;
      for (const id of manifest.replaces) {
        if (!index.manifests.has(id)) continue;
        directory.remove(id);
        this.#report.removed++;
      }
    }
    index.refresh();
  }

  #evict(): void {
    const { index, directory, maxBytes } = this.#options;
    if (maxBytes === 0) return;
    const segments = [...index.manifests.values()].map(({ id, bytes }) => ({
      bytes,
      lastUsed: directory.lastUsed(id),
      remove: () => directory.remove(id),
    }));
    const all = [...segments, ...this.#options.kept.candidates()];
    let rest = all.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { bytes, remove } of all.sort((one, other) => one.lastUsed - other.lastUsed)) {
      if (rest <= maxBytes) break;
      remove();
      rest -= bytes;
      this.#report.evicted++;
    }
    index.refresh();
  }

  #compact(lease: Lease): void {
    const { compactAt, segmentBytes } = this.#options;
    const waiting = this.#worthMerging();
    if (waiting.length < compactAt) return;
    let group: SegmentManifest[] = [];
    let bytes = 0;
    for (const manifest of waiting) {
      group.push(manifest);
      bytes += this.#livingBytes(manifest);
      if (bytes < segmentBytes) continue;
      this.#merge(group, lease);
      [group, bytes] = [[], 0];
    }
    if (group.length > 1) this.#merge(group, lease);
  }

  #merge(group: readonly SegmentManifest[], lease: Lease): void {
    const { directory, index, warn } = this.#options;
    const writer = new SegmentWriter(directory);
    const replaces: string[] = [];
    try {
      for (const manifest of group) {
        if (!lease.renew()) return;
        const before = writer.entries.length;
        try {
          this.#copy(manifest, writer);
          replaces.push(manifest.id);
        } catch (error) {
          writer.takeBackTo(before);
          // An unreadable segment stays: another worker may be able to read it, or this one later.
          warn(`Segment ${manifest.id} of the volume's cache is not merged: ${(error as Error).message}`);
          if (!(error instanceof UnreadableSegmentError)) throw error;
        }
      }
      if (replaces.length === 0) return;
      const merged = writer.publish(replaces);
      if (merged === undefined) return;
      index.add(merged);
      this.#report.merged += replaces.length;
    } finally {
      writer.discard();
    }
  }

  #copy(manifest: SegmentManifest, writer: SegmentWriter): void {
    const reader = this.#openReader(manifest.id);
    const twins = new Map<number, FileEntry>();
    try {
      for (const entry of this.#living(manifest)) {
        if (entry.kind === 'directory') writer.directory(entry.path, entry.mode, entry.origin);
        else if (entry.kind === 'symlink') writer.symlink(entry.path, entry.target, entry.origin);
        else copyFile(entry, reader, writer, twins);
      }
    } finally {
      reader.close();
    }
  }

  #openReader(id: string): ArchiveReader {
    try {
      return new ArchiveReader(this.#options.directory.openArchive(id));
    } catch (error) {
      throw new UnreadableSegmentError((error as Error).message, { cause: error });
    }
  }
}

class UnreadableSegmentError extends Error {}

function copyFile(
  entry: FileEntry,
  reader: ArchiveReader,
  writer: SegmentWriter,
  twins: Map<number, FileEntry>,
): void {
  const { kind: _, content, ...rest } = entry;
  const head = { ...rest, pieces: content.pieces };
  const twin = twins.get(content.offset);
  if (twin !== undefined) {
    writer.hardLink(head, twin);
    return;
  }
  let copied: FileEntry;
  try {
    copied = writer.file(head, content.length, reader.read(content.offset, content.length));
  } catch (error) {
    if (!(error instanceof ChangedContentError)) throw error;
    throw new UnreadableSegmentError(`${JSON.stringify(entry.path)} is cut off`, { cause: error });
  }
  if (copied.content.sha256 !== content.sha256)
    throw new UnreadableSegmentError(
      `the content of ${JSON.stringify(entry.path)} is not what its checksum says`,
    );
  twins.set(content.offset, copied);
}
