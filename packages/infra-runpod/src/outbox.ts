import { createHash } from 'node:crypto';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Log, SettingsError } from '@flash/worker-core';
import * as z from 'zod';
import { OutboxFolder } from './outbox-folder.ts';
import { SpareFile, spareSuffix } from './spare-file.ts';

const headerSchema = z.lazy(() =>
  z.object({
    jobId: z.string(),
    isStream: z.boolean(),
    bodyBytes: z.number(),
    number: z.number(),
  }),
);
const suffix = '.result';
const newline = 10;
/** How often within a lease a process shows that it lives, and looks for others that do not. */
const looksPerLease = 4;

/** A result that the platform has not acknowledged. */
export interface StoredResult {
  readonly jobId: string;
  /** The output went out in chunks before. */
  readonly isStream: boolean;
  /** Name of its file. */
  readonly name: string;
  /** Length of its file in bytes. */
  readonly size: number;
  /** On the clock of `Date.now()`. */
  readonly storedAt: number;
}

export interface OutboxOptions {
  /** `FLASH_STATE_DIR`: every worker id has a folder of its own in it. */
  readonly stateDirectory: string;
  readonly workerId: string;
  readonly maxResults: number;
  readonly maxBytes: number;
  /** A process of another machine is gone when nothing was seen of it for so long, in milliseconds. */
  readonly leaseMs: number;
  readonly log: Log;
}

/**
 * Results on disk, from before their first post to the platform's acknowledgement. A file is written whole, made durable, and only
 * then given its name. Its first line says how long it is: one that is whole counts even when a power cut took its name. Files are
 * named in the order they were finished. What an earlier process has left is found at the start, or as soon as it is certain that it is gone.
 */
export class Outbox {
  readonly #folder: OutboxFolder;
  readonly #options: OutboxOptions;
  readonly #results = new Map<string, StoredResult>();
  #file: SpareFile;
  #watch: NodeJS.Timeout | undefined;
  #collecting: Promise<void> = Promise.resolve();
  #bytes = 0;
  #nextNumber = 1;

  /**
   * Opens the worker's folder and finds what an earlier process has left there.
   *
   * @throws SettingsError when the directory can't be used.
   */
  static async open(options: OutboxOptions): Promise<Outbox> {
    const directory = join(options.stateDirectory, folderOf(options.workerId));
    const { leaseMs, log } = options;
    try {
      const folder = new OutboxFolder({ directory, leaseMs, log });
      await folder.create();
      const outbox = new Outbox(options, folder);
      await outbox.#load(await folder.collect());
      await outbox.#file.prepare();
      return outbox;
    } catch (cause) {
      throw new SettingsError(
        `FLASH_STATE_DIR: results can't be kept in ${directory}: ${(cause as Error).message}; name a directory this process may write to`,
        { cause },
      );
    }
  }

  private constructor(options: OutboxOptions, folder: OutboxFolder) {
    this.#options = options;
    this.#folder = folder;
    this.#file = new SpareFile(folder.path);
  }

  /** @param onFound - called with each result of a process that turns out to be gone later. */
  watch(onFound: (result: StoredResult) => void): void {
    const tick = async (): Promise<void> => {
      await this.#folder.renew();
      for (const result of await this.#load(await this.#folder.collect())) onFound(result);
    };
    this.#watch = setInterval(() => {
      this.#collecting = this.#collecting.then(tick).catch((error: unknown) => {
        this.#options.log.write(
          'warn',
          'results of earlier processes can’t be looked for (FLASH_STATE_DIR)',
          { error },
        );
      });
    }, this.#options.leaseMs / looksPerLease).unref();
  }

  /** The stored results, oldest first. */
  get results(): readonly StoredResult[] {
    return [...this.#results.values()];
  }

  /** How long the oldest has been here, in milliseconds; 0 when there is none. */
  get oldestMs(): number {
    const oldest = Math.min(...this.results.map(({ storedAt }) => storedAt));
    return this.#results.size === 0 ? 0 : Math.max(0, Date.now() - oldest);
  }

  get size(): number {
    return this.#results.size;
  }

  /** Whether the bounds leave room for one more result. */
  get hasRoom(): boolean {
    const { maxResults, maxBytes } = this.#options;
    return this.#results.size < maxResults && this.#bytes < maxBytes;
  }

  has(jobId: string): boolean {
    return this.#results.has(jobId);
  }

  /**
   * Stores a result; one of the same job is replaced in one step. `undefined` when it could not be stored: the bounds are reached
   * (what is older is kept) or the disk refuses; the reason is logged.
   */
  async put(jobId: string, isStream: boolean, body: Uint8Array): Promise<StoredResult | undefined> {
    const { maxResults, maxBytes, log } = this.#options;
    const earlier = this.#results.get(jobId);
    const number = earlier === undefined ? this.#nextNumber++ : Number.parseInt(earlier.name, 10);
    const header = Buffer.from(`${JSON.stringify({ jobId, isStream, bodyBytes: body.length, number })}\n`);
    const size = header.length + body.length;
    const isFull = earlier === undefined && this.#results.size >= maxResults;
    if (isFull || this.#bytes - (earlier?.size ?? 0) + size > maxBytes) {
      log.write('warn', 'a result is not kept on disk: the outbox is full', {
        jobId,
        size,
        results: this.#results.size,
        bytes: this.#bytes,
        bounds: 'FLASH_OUTBOX_MAX_RESULTS, FLASH_OUTBOX_MAX_BYTES',
      });
      return undefined;
    }
    const name = nameOf(number, jobId);
    try {
      await this.#write(name, [header, body]);
    } catch (error) {
      const reason = (error as Error).message;
      log.write('error', 'a result could not be kept on disk (FLASH_STATE_DIR)', { jobId, reason });
      return undefined;
    }
    return this.#note({ jobId, isStream, name, size, storedAt: earlier?.storedAt ?? Date.now() });
  }

  /** Makes a new folder when another process has taken this one for gone and has moved its folder. */
  async #write(name: string, pieces: readonly Uint8Array[]): Promise<void> {
    try {
      await this.#file.write(name, pieces);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      await this.#folder.create().catch(() => {});
      this.#file = new SpareFile(this.#folder.path);
      await this.#file.write(name, pieces);
    }
  }

  /** The body of a stored result. */
  async read({ name }: StoredResult): Promise<Buffer> {
    const bytes = await readFile(join(this.#folder.path, name));
    return bytes.subarray(bytes.indexOf(newline) + 1);
  }

  /** Forgets a result that needs no delivery any more. */
  async remove({ jobId, name, size }: StoredResult): Promise<void> {
    if (!this.#results.delete(jobId)) return;
    this.#bytes -= size;
    await rm(join(this.#folder.path, name), { force: true });
  }

  /** Ends; removes the folder when it holds no result. */
  async close(): Promise<void> {
    clearInterval(this.#watch);
    await this.#collecting;
    await this.#file.close();
    await this.#folder.close();
  }

  #note(result: StoredResult): StoredResult {
    this.#bytes += result.size - (this.#results.get(result.jobId)?.size ?? 0);
    this.#results.set(result.jobId, result);
    return result;
  }

  /** @returns the results among these files of the folder. */
  async #load(names: readonly string[]): Promise<readonly StoredResult[]> {
    const results: (StoredResult | undefined)[] = [];
    for (const name of names.toSorted()) {
      if (name.endsWith(spareSuffix)) results.push(await this.#salvage(name));
      else if (name.endsWith(suffix)) results.push(await this.#loadOne(name));
    }
    return results.filter((result) => result !== undefined);
  }

  async #loadOne(name: string): Promise<StoredResult | undefined> {
    const path = join(this.#folder.path, name);
    try {
      const { jobId, isStream, number, size, storedAt } = await readEntry(path);
      this.#nextNumber = Math.max(this.#nextNumber, number + 1);
      const known = this.#results.get(jobId);
      if (known === undefined) return this.#note({ jobId, isStream, name, size, storedAt });
      // The job was delivered to both processes, and this one's result is the later one.
      if (known.name !== name) await rm(path, { force: true });
    } catch (error) {
      // The file is not removed, so that an operator may still find the result in it.
      this.#options.log.write('error', 'a stored result can’t be read and is left alone', { path, error });
    }
    return undefined;
  }

  /** A file that was written whole but did not get its name is a result as well; anything else is no more than a beginning. */
  async #salvage(spare: string): Promise<StoredResult | undefined> {
    const path = join(this.#folder.path, spare);
    try {
      const { number, jobId } = await readEntry(path);
      const name = nameOf(number, jobId);
      await rename(path, join(this.#folder.path, name));
      return await this.#loadOne(name);
    } catch {
      await rm(path, { force: true });
      return undefined;
    }
  }
}

type StoredHeader = z.output<typeof headerSchema>;

/** @throws Error when the file is not whole. */
async function readEntry(
  path: string,
): Promise<StoredHeader & { readonly size: number; readonly storedAt: number }> {
  const line = await firstLine(path);
  const header = headerSchema.parse(JSON.parse(line));
  const { size, mtimeMs: storedAt } = await stat(path);
  if (size !== Buffer.byteLength(line) + 1 + header.bodyBytes) throw new Error('the file is not whole');
  return { ...header, size, storedAt };
}

const longestHeader = 64 * 1024;

async function firstLine(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(longestHeader), 0, longestHeader, 0);
    const end = buffer.subarray(0, bytesRead).indexOf(newline);
    return buffer.toString('utf8', 0, end < 0 ? bytesRead : end);
  } finally {
    await file.close();
  }
}

/** A folder name for any worker id, never "." or a path. */
function folderOf(workerId: string): string {
  const readable = workerId.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 60);
  return readable === workerId ? `worker-${workerId}` : `worker-${readable}-${digest(workerId)}`;
}

function nameOf(number: number, jobId: string): string {
  return `${String(number).padStart(12, '0')}-${digest(jobId)}${suffix}`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
