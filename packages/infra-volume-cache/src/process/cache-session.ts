import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { CachePart } from '@flash/worker-core';
import { signature } from '../cache-entry.ts';
import { partOf } from '../cache-part.ts';
import { excluded } from '../excluded.ts';
import { Hydration, type HydrationReport } from '../hydration.ts';
import { KeptDirectories } from '../kept-directories.ts';
import { KnownEntries } from '../known-entries.ts';
import { LocalTree } from '../local/local-tree.ts';
import { Maintenance, type MaintenanceReport } from '../maintenance.ts';
import { Publication, type PublicationReport } from '../publication.ts';
import { readOriginalArchive } from '../volume/original-archive.ts';
import { SegmentDirectory } from '../volume/segment-directory.ts';
import { SegmentIndex } from '../volume/segment-index.ts';
import type { FetchStage, KeptPlace } from '../kept-place.ts';
import { RestoreThreads } from './restore-threads.ts';
import type { SessionOptions } from './session-options.ts';

/** Most times that the list of segments is read again because a segment was merged into another one before it could be read. */
const mostAttempts = 3;
/** Least time between two notes of a segment's use. */
const useNotedMs = 3_600_000;
const warnAtPart = 0.75;

/** What one worker's cache does with the volume. Everything here waits for the disk: it has a process of its own. */
export class CacheSession {
  readonly #options: SessionOptions;
  readonly #warn: (line: string) => void;
  readonly #directory: SegmentDirectory;
  readonly #index: SegmentIndex;
  readonly #threads: RestoreThreads;
  readonly #kept: KeptDirectories;
  readonly #known = new KnownEntries();
  /** Made when it is needed: to fetch an environment does not need it. */
  #excludedPaths: ReturnType<typeof excluded> | undefined;
  #localTree: LocalTree | undefined;
  /** The file system of the volume. When the path leads to another one, the volume is gone and its mount point is left. */
  readonly #device: number;
  #lastFullScan = Date.now();
  #hasReadOriginal = false;
  #hasWarnedOfSize = false;

  constructor(options: SessionOptions, warn: (line: string) => void) {
    this.#options = options;
    this.#warn = warn;
    // Files get the modes with which they were stored.
    process.umask(0);
    this.#device = statSync(options.volume).dev;
    this.#directory = new SegmentDirectory(join(options.volume, '.cache', `cache-${options.endpointId}`));
    this.#index = new SegmentIndex(this.#directory, warn);
    this.#threads = new RestoreThreads(options.threads);
    this.#kept = new KeptDirectories({
      path: join(this.#directory.path, 'environments'),
      restoreAll: (jobs, onRestored) => this.#threads.restoreAll(jobs, onRestored),
      warn,
    });
  }

  /** Brings to the cache directory what it lacks of the volume's; `undefined`: of all of it. */
  async hydrate(part?: CachePart): Promise<HydrationReport> {
    this.#makeSureItIsThere();
    await this.#readOriginal();
    const total: HydrationReport = { files: 0, bytes: 0, damaged: 0, blocked: 0, gone: 0 };
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      this.#index.refresh();
      const report = await this.#hydrateOnce(part);
      total.files += report.files;
      total.bytes += report.bytes;
      Object.assign(total, { damaged: report.damaged, blocked: report.blocked, gone: report.gone });
      if (report.gone === 0) break;
    }
    this.#noteUse();
    this.#warnOfSize();
    return total;
  }

  /** Writes to the volume what is new in the cache directory. */
  sync(everything: boolean): PublicationReport {
    this.#makeSureItIsThere();
    const isFull = everything || Date.now() - this.#lastFullScan >= this.#options.fullScanMs;
    mkdirSync(this.#directory.path, { recursive: true });
    const { segmentBytes, bigFileBytes } = this.#options;
    const report = new Publication({
      tree: this.#tree,
      known: this.#known,
      index: this.#index,
      directory: this.#directory,
      segmentBytes,
      bigFileBytes,
    }).run(isFull);
    if (isFull) this.#lastFullScan = Date.now();
    if (report.segments > 0) this.#warnOfSize();
    return report;
  }

  /** Merges, removes and evicts segments when it is time to, and no other worker does. */
  maintain(): MaintenanceReport | undefined {
    this.#makeSureItIsThere();
    const { segmentBytes, bigFileBytes, compactAt, graceMs, maxBytes } = this.#options;
    return new Maintenance({
      directory: this.#directory,
      index: this.#index,
      segmentBytes,
      bigFileBytes,
      compactAt,
      graceMs,
      maxBytes,
      kept: this.#kept,
      warn: this.#warn,
    }).run();
  }

  /** Names of directories that are kept whole, most recently used first. */
  kept(): string[] {
    this.#makeSureItIsThere();
    const names = this.#kept.names();
    // The worker that asks for the names is about to fetch one: the answer goes out before other work.
    setImmediate(() => {
      this.#threads.warm();
      if (names[0] !== undefined) this.#kept.readAhead(names[0]);
    });
    return names;
  }

  fetch(place: KeptPlace, onStage: (stage: FetchStage) => void): Promise<boolean> {
    this.#makeSureItIsThere();
    return this.#kept.fetch(place, onStage);
  }

  /** @returns bytes that were written. */
  keep(name: string, source: string): number {
    this.#makeSureItIsThere();
    return this.#kept.keep(name, source);
  }

  get #isExcluded(): ReturnType<typeof excluded> {
    this.#excludedPaths ??= excluded(this.#options.exclude);
    return this.#excludedPaths;
  }

  get #tree(): LocalTree {
    this.#localTree ??= new LocalTree(this.#options.root, this.#isExcluded);
    return this.#localTree;
  }

  async #hydrateOnce(part: CachePart | undefined): Promise<HydrationReport> {
    const { root } = this.#options;
    const entries = this.#index.view
      .consistent()
      .filter(({ entry }) => part === undefined || partOf(entry.path) === part)
      .filter(({ entry }) => !this.#isExcluded(entry.path));
    // The local disk, which may hold many files, is not looked at.
    if (entries.length === 0) return { files: 0, bytes: 0, damaged: 0, blocked: 0, gone: 0 };
    return new Hydration({
      root,
      isPrivate: false,
      archiveOf: (source) => (source === this.#originalPath ? source : this.#directory.archivePath(source)),
      restoreAll: (jobs, onRestored) => this.#threads.restoreAll(jobs, onRestored),
      warn: this.#warn,
      onPresent: (entry) => this.#known.add(entry.path, signature(entry), false),
      onDamaged: (source, paths) => this.#index.markDamaged(source, paths),
    }).run(entries);
  }

  get #originalPath(): string {
    return join(this.#options.volume, '.cache', `cache-${this.#options.endpointId}.tar`);
  }

  async #readOriginal(): Promise<void> {
    if (this.#hasReadOriginal) return;
    this.#hasReadOriginal = true;
    const original = await readOriginalArchive(this.#originalPath, this.#options.root, this.#warn);
    if (original !== undefined) this.#index.addOriginal(original);
  }

  #makeSureItIsThere(): void {
    const stat = statSync(this.#options.volume, { throwIfNoEntry: false });
    if (stat?.dev !== this.#device)
      throw new Error(`the network volume is not mounted at ${this.#options.volume} any more`);
  }

  #noteUse(): void {
    for (const id of this.#index.manifests.keys()) {
      const state = this.#directory.state(id);
      if (state !== undefined && Date.now() - state.lastUsed > useNotedMs) this.#directory.tryNoteUse(id);
    }
  }

  #warnOfSize(): void {
    if (this.#hasWarnedOfSize || this.#index.manifests.size === 0) return;
    const { size } = this.#directory.space();
    const { bytes } = this.#index;
    if (bytes < warnAtPart * size) return;
    this.#hasWarnedOfSize = true;
    this.#warn(
      `The cache takes ${Math.round((100 * bytes) / size)} % of the volume (${bytes} of ${size} bytes): bound it with FLASH_CACHE_MAX_BYTES`,
    );
  }
}
