import type { BytePath } from './byte-path.ts';

/** Where a file's content is in the archive of its segment. */
export interface StoredContent {
  /** Position in the archive. */
  readonly offset: number;
  /** Bytes in the archive: the file's size, or less when holes were left out. */
  readonly length: number;
  /** SHA-256 of those bytes, base64url: tells whether content is the same. `undefined`: of an archive that carries none. */
  readonly sha256: string | undefined;
  /** CRC-32 of those bytes: tells whether they were damaged, in a third of the time. `undefined`: as above. */
  readonly crc32: number | undefined;
  /** Start and length of each piece of the file that was stored; `undefined`: all of it. */
  readonly pieces?: readonly (readonly [number, number])[] | undefined;
}

interface Placed {
  readonly path: BytePath;
  /** Id of the segment it was first published in: of two entries of one path the later one counts. */
  readonly origin: string;
}

/** A file of the cache. Two entries of a segment with the same content's offset are hard links of each other. */
export interface FileEntry extends Placed {
  readonly kind: 'file';
  readonly size: number;
  readonly mode: number;
  /** Milliseconds since 1970, whole. */
  readonly mtimeMs: number;
  readonly content: StoredContent;
}

/** A file, and whether Python relies on its modification time. */
export interface RestorableFile extends FileEntry {
  /** Default: it does. */
  readonly keepsTime?: boolean;
}

interface DirectoryEntry extends Placed {
  readonly kind: 'directory';
  readonly mode: number;
}

export interface SymlinkEntry extends Placed {
  readonly kind: 'symlink';
  /** One character a byte. */
  readonly target: string;
}

export type CacheEntry = FileEntry | DirectoryEntry | SymlinkEntry;

/** What tells two states of one path apart. */
export function signature(entry: CacheEntry): string {
  switch (entry.kind) {
    case 'file':
      return `f${entry.mode}:${entry.size}:${entry.mtimeMs}`;
    case 'directory':
      return `d${entry.mode}`;
    case 'symlink':
      return `l${entry.target}`;
  }
}
