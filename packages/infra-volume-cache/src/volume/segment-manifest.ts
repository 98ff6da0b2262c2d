import { hash } from 'node:crypto';
import { isSafePath, readPath, writePath, type WrittenPath } from '../byte-path.ts';
import type { CacheEntry } from '../cache-entry.ts';

const format = 1;

/** A segment: an archive on the volume, and what is in it. */
export interface SegmentManifest {
  /** Sorts by the time of publication. */
  readonly id: string;
  /** Bytes of the archive. */
  readonly bytes: number;
  /** Segments whose living entries this one holds too. */
  readonly replaces: readonly string[];
  readonly entries: readonly CacheEntry[];
}

type Row =
  | [
      kind: 'f',
      path: WrittenPath,
      mode: number,
      mtimeMs: number,
      size: number,
      offset: number,
      sha256: string,
      crc32: number,
      more?: More,
    ]
  | [kind: 'd', path: WrittenPath, mode: number, more?: More]
  | [kind: 'l', path: WrittenPath, target: WrittenPath, more?: More];

interface More {
  origin?: string;
  length?: number;
  pieces?: readonly (readonly [number, number])[];
}

interface Body {
  readonly id: string;
  readonly bytes: number;
  readonly replaces: readonly string[];
  readonly entries: readonly Row[];
}

/** A manifest is two lines of JSON: which format, and a checksum of the second; the segment. */
export function writeManifest(manifest: SegmentManifest): string {
  const { id, bytes, replaces } = manifest;
  const body: Body = { id, bytes, replaces, entries: manifest.entries.map((entry) => row(entry, id)) };
  const text = JSON.stringify(body);
  return `${JSON.stringify({ flashCacheSegment: format, sha256: hash('sha256', text, 'base64url') })}\n${text}\n`;
}

/** @throws Error saying what is wrong with it. */
export function readManifest(text: string, id: string): SegmentManifest {
  const end = text.indexOf('\n');
  const head = JSON.parse(text.slice(0, Math.max(0, end))) as { flashCacheSegment?: number; sha256?: string };
  if (head.flashCacheSegment !== format)
    throw new Error(`it has format ${head.flashCacheSegment}; this worker reads format ${format}`);
  const bodyText = text.slice(end + 1).trimEnd();
  if (hash('sha256', bodyText, 'base64url') !== head.sha256) throw new Error('its checksum is wrong');
  const body = JSON.parse(bodyText) as Body;
  if (body.id !== id) throw new Error(`it is the manifest of ${body.id}`);
  const entries = body.entries.map((written) => entry(written, id)).filter(({ path }) => isSafePath(path));
  return { id, bytes: body.bytes, replaces: body.replaces, entries };
}

function row(entry: CacheEntry, id: string): Row {
  const path = writePath(entry.path);
  const more: More = entry.origin === id ? {} : { origin: entry.origin };
  if (entry.kind === 'directory') return ['d', path, entry.mode, ...rest(more)];
  if (entry.kind === 'symlink') return ['l', path, writePath(entry.target), ...rest(more)];
  const { offset, length, sha256 = '', crc32 = -1, pieces } = entry.content;
  if (pieces !== undefined) Object.assign(more, { length, pieces });
  return ['f', path, entry.mode, entry.mtimeMs, entry.size, offset, sha256, crc32, ...rest(more)];
}

function rest(more: More): [More?] {
  return Object.keys(more).length === 0 ? [] : [more];
}

function entry(written: Row, id: string): CacheEntry {
  const path = readPath(written[1]);
  switch (written[0]) {
    case 'd':
      return { kind: 'directory', path, mode: written[2], origin: written[3]?.origin ?? id };
    case 'l':
      return { kind: 'symlink', path, target: readPath(written[2]), origin: written[3]?.origin ?? id };
    case 'f': {
      const [, , mode, mtimeMs, size, offset, sha256, crc32, more = {}] = written;
      const content = {
        offset,
        length: more.length ?? size,
        sha256: sha256 || undefined,
        crc32: crc32 < 0 ? undefined : crc32,
        pieces: more.pieces,
      };
      return { kind: 'file', path, mode, mtimeMs, size, origin: more.origin ?? id, content };
    }
  }
}
