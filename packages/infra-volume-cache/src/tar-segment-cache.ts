import { rm, stat } from 'node:fs/promises';
import type { CachePart, FetchStages, Log, VolumeCache } from '@flash/worker-core';
import { CacheProcess } from './cache-process.ts';
import type { HydrationReport } from './hydration.ts';
import type { FetchStage } from './kept-place.ts';
import type { Calls } from './process/messages.ts';
import type { SessionOptions } from './process/session-options.ts';
import type { PublicationReport } from './publication.ts';
import type { VolumeCacheSettings } from './settings.ts';
import { within } from './within.ts';

/** Milliseconds after a failure in which the volume is not used. */
const pauseMs = 30_000;
/** Milliseconds after the hydration at which the volume is tidied. */
const maintainAfterMs = 2000;
/** How long a volume may take to say whether it is there. */
const lookMs = 5000;

export interface TarSegmentCacheOptions {
  readonly settings: VolumeCacheSettings;
  /** The endpoint whose cache it is; without one nothing is kept. */
  readonly endpointId: string | undefined;
  readonly log: Log;
}

/**
 * The cache on the network volume in immutable segments (docs/reference/protocol.md, Places and Resilience). Many workers read and write one volume
 * at once; docs/decisions/0008-volume-cache.md says how. All work on the disks is done by a process of its own.
 */
export class TarSegmentCache implements VolumeCache {
  readonly #options: TarSegmentCacheOptions;
  #isThere: Promise<boolean> | undefined;
  #process: CacheProcess | undefined;
  readonly #hydrations = new Map<CachePart, Promise<string | undefined>>();
  #mayHydrateAt = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #maintenance: NodeJS.Timeout | undefined;
  #lastTrouble = '';
  #isClosed = false;

  constructor(options: TarSegmentCacheOptions) {
    this.#options = options;
  }

  async hydrate(onLine: (line: string) => void, part: CachePart = 'data'): Promise<void> {
    if (this.#isClosed || !(await this.#hasVolume())) return;
    const known = this.#hydrations.get(part);
    if (known === undefined && performance.now() < this.#mayHydrateAt) return;
    const hydration = known ?? this.#hydrate(part);
    this.#hydrations.set(part, hydration);
    const timeoutMs = this.#options.settings.FLASH_CACHE_HYDRATE_TIMEOUT_MS;
    const outcome = await within(hydration, timeoutMs);
    if (outcome.isLate)
      onLine(
        `The cache has not come from the volume within ${timeoutMs} ms, the request goes on without (FLASH_CACHE_HYDRATE_TIMEOUT_MS)`,
      );
    else if (known === undefined && outcome.value !== undefined) onLine(outcome.value);
  }

  async kept(): Promise<readonly string[]> {
    return (await this.#request('kept', undefined)) ?? [];
  }

  async fetch(name: string, directory: string, stages?: FetchStages): Promise<boolean> {
    const place = { name, directory, first: stages?.first ?? [], last: stages?.last ?? [] };
    let isUsable = false;
    const onStage = (stage: FetchStage): void => {
      if (stage === 'usable') isUsable = true;
      if (stage === 'first') stages?.onFirst();
      else stages?.onUsable?.();
    };
    const isThere = (await this.#request('fetch', place, undefined, onStage)) ?? false;
    // The process may have ended before it had answered.
    if (!isThere && !isUsable) await rm(directory, { recursive: true, force: true }).catch(() => {});
    return isThere;
  }

  async keep(name: string, directory: string): Promise<void> {
    const startedAt = performance.now();
    const bytes = (await this.#request('keep', { name, directory }, 0)) ?? 0;
    const ms = Math.round(performance.now() - startedAt);
    if (bytes > 0) this.#options.log.write('info', 'a directory was kept on the volume', { name, bytes, ms });
  }

  /** Asks the cache's process, unless the volume has just failed. `undefined` when there is no answer in time. */
  async #request<Name extends 'kept' | 'fetch' | 'keep'>(
    name: Name,
    given: Calls[Name]['with'],
    timeoutMs = this.#options.settings.FLASH_CACHE_HYDRATE_TIMEOUT_MS,
    onStage?: (stage: FetchStage) => void,
  ): Promise<Calls[Name]['answer'] | undefined> {
    if (this.#isClosed || performance.now() < this.#mayHydrateAt || !(await this.#hasVolume()))
      return undefined;
    const answer = this.#open()
      .ask(name, given, onStage)
      .catch((error: Error) => {
        this.#mayHydrateAt = performance.now() + pauseMs;
        this.#trouble(error);
        return undefined;
      });
    const outcome = await within(answer, timeoutMs);
    if (outcome.isLate && name === 'fetch') {
      // The process is ended, since it must not go on writing where others are about to write.
      this.#process?.kill();
      this.#mayHydrateAt = performance.now() + pauseMs;
      this.#warn(
        `a directory has not come from the volume within ${timeoutMs} ms: the request goes on without (FLASH_CACHE_HYDRATE_TIMEOUT_MS)`,
      );
    }
    return outcome.value;
  }

  async sync(): Promise<void> {
    if (this.#isClosed || !(await this.#hasVolume())) return;
    if (this.#running === undefined) return this.#begin(false);
    // The sync at work may have passed what is to be kept now. One more follows it, for all callers that ask meanwhile.
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      return this.#begin(false);
    });
    return this.#next;
  }

  noteRun(): void {
    const { endpointId, settings } = this.#options;
    if (endpointId === undefined || this.#isClosed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.sync();
    }, settings.FLASH_CACHE_SYNC_DELAY_MS).unref();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#maintenance);
    if (this.#process === undefined) return;
    const last = (this.#next ?? this.#running ?? Promise.resolve()).then(() => this.#begin(true));
    const { isLate } = await within(last, this.#options.settings.FLASH_CACHE_CLOSE_MS);
    if (isLate)
      this.#warn(
        'the last sync took too long and was left (FLASH_CACHE_CLOSE_MS); what it had not published is not kept',
      );
    this.#process.kill();
  }

  /** Whether there is a volume; looked for once. */
  #hasVolume(): Promise<boolean> {
    this.#isThere ??= this.#lookForVolume();
    return this.#isThere;
  }

  async #lookForVolume(): Promise<boolean> {
    const { endpointId, settings, log } = this.#options;
    if (endpointId === undefined) return false;
    const path = settings.FLASH_VOLUME_DIR;
    const look = stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    );
    const { isLate, value = false } = await within(look, lookMs);
    if (isLate) this.#warn(`the volume at ${path} does not answer: the worker goes on without its cache`);
    else if (!value) log.write('debug', 'there is no network volume: nothing is kept', { path });
    return value;
  }

  async #hydrate(part: CachePart): Promise<string | undefined> {
    const startedAt = performance.now();
    try {
      const { files, bytes, damaged, blocked } = await this.#open().ask('hydrate', part);
      const ms = Math.round(performance.now() - startedAt);
      this.#options.log.write('info', 'the cache was hydrated', {
        part,
        files,
        bytes,
        damaged,
        blocked,
        ms,
      });
      this.#maintainSoon();
      return hydratedLine({ files, bytes }, ms);
    } catch (error) {
      this.#mayHydrateAt = performance.now() + pauseMs;
      this.#hydrations.delete(part);
      this.#trouble(error as Error);
      return `The cache could not be read from the volume, the request goes on without: ${(error as Error).message}`;
    }
  }

  #begin(everything: boolean): Promise<void> {
    const sync = this.#syncNow(everything).finally(() => {
      if (this.#running === sync) this.#running = undefined;
    });
    this.#running = sync;
    return sync;
  }

  /** Never rejects: no request depends on it. */
  async #syncNow(everything: boolean): Promise<void> {
    try {
      // A worker that has not read the volume would write once more what is there already.
      await Promise.all(this.#hydrations.values());
      const report = await this.#open().ask('sync', everything);
      this.#lastTrouble = '';
      this.#noteSync(report);
    } catch (error) {
      this.#trouble(error as Error);
    }
  }

  #noteSync(report: PublicationReport): void {
    const { files, bytes, segments, isUnfinished } = report;
    if (isUnfinished) this.noteRun();
    if (segments === 0) return;
    this.#options.log.write('info', 'the cache was kept on the volume', { files, bytes, segments });
    if (!this.#isClosed) void this.#maintain();
  }

  /** Tidies the volume later, as a worker that starts has other things to do. */
  #maintainSoon(): void {
    this.#maintenance ??= setTimeout(() => void this.#maintain(), maintainAfterMs).unref();
  }

  async #maintain(): Promise<void> {
    if (this.#isClosed) return;
    try {
      const report = await this.#open().ask('maintain', undefined);
      if (report === undefined || report.merged + report.removed + report.evicted === 0) return;
      this.#options.log.write('info', 'the volume’s cache was tidied', { ...report });
    } catch (error) {
      this.#trouble(error as Error);
    }
  }

  /** The cache's process, which is started when there is none. Does not wait for its session: it answers in the order in which it is asked. */
  #open(): CacheProcess {
    if (this.#process !== undefined && !this.#process.hasEnded) return this.#process;
    const started = new CacheProcess((line) => this.#warn(line));
    // A process that could not open the volume says so to all callers and is of no further use; the next call starts another.
    started.ask('open', this.#sessionOptions()).catch(() => started.retire());
    this.#process = started;
    return started;
  }

  #sessionOptions(): SessionOptions {
    const { settings, endpointId = '' } = this.#options;
    return {
      root: settings.FLASH_CACHE_DIR,
      volume: settings.FLASH_VOLUME_DIR,
      endpointId,
      exclude: settings.FLASH_CACHE_EXCLUDE,
      segmentBytes: settings.FLASH_CACHE_SEGMENT_BYTES,
      bigFileBytes: settings.FLASH_CACHE_BIG_FILE_BYTES,
      compactAt: settings.FLASH_CACHE_COMPACT_AT,
      graceMs: settings.FLASH_CACHE_COMPACT_GRACE_MS,
      maxBytes: settings.FLASH_CACHE_MAX_BYTES,
      threads: settings.FLASH_CACHE_THREADS,
      fullScanMs: settings.FLASH_CACHE_FULL_SCAN_MS,
    };
  }

  /** Logs a trouble once until it is over. */
  #trouble(error: Error): void {
    const { code = error.message } = error as NodeJS.ErrnoException;
    if (code === this.#lastTrouble) return;
    this.#lastTrouble = code;
    this.#warn(`the cache on the volume can't be used: ${error.message}`);
  }

  #warn(message: string): void {
    this.#options.log.write('warn', message, { volume: this.#options.settings.FLASH_VOLUME_DIR });
  }
}

function hydratedLine(
  { files, bytes }: Pick<HydrationReport, 'files' | 'bytes'>,
  ms: number,
): string | undefined {
  return files === 0
    ? undefined
    : `Cache hydrated: ${files} files, ${(bytes / 1e6).toFixed(1)} MB in ${ms} ms`;
}
