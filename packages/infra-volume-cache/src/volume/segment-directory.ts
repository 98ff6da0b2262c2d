import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { readManifest, type SegmentManifest, writeManifest } from './segment-manifest.ts';

const temporary = 'tmp';
const segmentIdPattern = /^\d{15}-[0-9a-f]{12}$/;

/**
 * The directory on the volume that holds an endpoint's segments: `<id>.tar` with the content, `<id>.json` with the manifest. A segment
 * exists when its manifest does, which is written last and appears whole. Nothing that was published is ever changed.
 */
export class SegmentDirectory {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Ids of the segments that exist; none when there is no such directory. */
  list(): string[] {
    try {
      return readdirSync(this.path)
        .flatMap((name) => (name.endsWith('.json') ? name.slice(0, -'.json'.length) : []))
        .filter(isSegmentId)
        .sort();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  /** @throws Error saying why it can't be read. */
  manifest(id: string): SegmentManifest {
    return readManifest(readFileSync(this.#manifestPath(id), 'utf8'), id);
  }

  openArchive(id: string): number {
    return openSync(this.archivePath(id), 'r');
  }

  archivePath(id: string): string {
    return join(this.path, `${id}.tar`);
  }

  /** A new file that no worker reads before it is published. */
  newArchive(id: string): { readonly path: string; readonly descriptor: number } {
    const directory = join(this.path, temporary);
    mkdirSync(directory, { recursive: true });
    const path = join(directory, `${id}.tar`);
    return { path, descriptor: openSync(path, 'wx') };
  }

  /** Makes a segment exist. Its archive was written and synced. */
  publish(manifest: SegmentManifest, archive: string): void {
    const written = join(this.path, temporary, `${manifest.id}.json`);
    writeFileSync(written, writeManifest(manifest), { flush: true });
    renameSync(archive, this.archivePath(manifest.id));
    renameSync(written, this.#manifestPath(manifest.id));
    syncDirectory(this.path);
  }

  /** Removes a segment: the manifest first, so that no worker starts to read it. */
  remove(id: string): void {
    rmSync(this.#manifestPath(id), { force: true });
    rmSync(this.archivePath(id), { force: true });
  }

  /** When a segment was last read or written, in milliseconds since 1970. */
  lastUsed(id: string): number {
    return statSync(this.#manifestPath(id)).mtimeMs;
  }

  /** When a segment's archive was written, by the volume's clock; milliseconds since 1970. */
  writtenAt(id: string): number {
    return statSync(this.archivePath(id)).mtimeMs;
  }

  /** A segment's size and when it was last read or written; `undefined` when it is gone. */
  state(id: string): { readonly bytes: number; readonly lastUsed: number } | undefined {
    const archive = statSync(this.archivePath(id), { throwIfNoEntry: false });
    const manifest = statSync(this.#manifestPath(id), { throwIfNoEntry: false });
    if (archive === undefined || manifest === undefined) return undefined;
    return { bytes: archive.size, lastUsed: manifest.mtimeMs };
  }

  /** Notes a use. Does nothing when the segment is gone or the volume read-only. */
  tryNoteUse(id: string): void {
    try {
      const now = new Date();
      utimesSync(this.#manifestPath(id), now, now);
    } catch {
      // as said
    }
  }

  /** Files of writers that were killed: older than `ageMs`, never published. */
  removeLeftovers(ageMs: number): void {
    const published = new Set(this.list());
    const leftovers = (directory: string, isOurs: (name: string) => boolean): void => {
      for (const name of namesIn(directory)) {
        const path = join(directory, name);
        const stat = statSync(path, { throwIfNoEntry: false });
        if (isOurs(name) && stat !== undefined && Date.now() - stat.ctimeMs > ageMs)
          rmSync(path, { force: true });
      }
    };
    leftovers(join(this.path, temporary), () => true);
    leftovers(this.path, (name) => name.endsWith('.tar') && !published.has(name.slice(0, -'.tar'.length)));
  }

  /** The volume's size and what is free of it, in bytes. */
  space(): { readonly size: number; readonly free: number } {
    const { bsize, blocks, bavail } = statfsSync(this.path);
    return { size: bsize * blocks, free: bsize * bavail };
  }

  newId(): string {
    return newSegmentId();
  }

  #manifestPath(id: string): string {
    return join(this.path, `${id}.json`);
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** A rename lasts when its directory was synced. */
function syncDirectory(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } catch (error) {
    // Some network file systems sync no directories; their renames last anyway.
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
  } finally {
    closeSync(descriptor);
  }
}

/** An id that no other worker makes, and that sorts by time. */
function newSegmentId(nowMs = Date.now()): string {
  return `${String(nowMs).padStart(15, '0')}-${randomBytes(6).toString('hex')}`;
}

function isSegmentId(text: string): boolean {
  return segmentIdPattern.test(text);
}
