import { statSync } from 'node:fs';
import { type ListedMember, listArchive } from '@flash/tar-archive';
import { type BytePath, isSafePath } from '../byte-path.ts';
import type { CacheEntry } from '../cache-entry.ts';

const mostMembers = 5_000_000;
/** Sorts before the id of every segment. */
const earliest = '';

/** The one tarball of the original: read, never changed. */
export interface OriginalArchive {
  readonly path: string;
  readonly entries: readonly CacheEntry[];
}

/**
 * Reads the original's tarball.
 *
 * @param root - the cache directory; member names may begin with it.
 * @returns `undefined` when there is none.
 */
export async function readOriginalArchive(
  path: string,
  root: string,
  warn: (line: string) => void,
): Promise<OriginalArchive | undefined> {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
  const { members, broken } = await listArchive(path, mostMembers);
  if (broken !== undefined) warn(`The cache ${path} is read as far as it goes: ${broken.message}`);
  const prefix = `${Buffer.from(root).toString('latin1').replace(/^\/+/, '')}/`;
  const entries = new Map<BytePath, CacheEntry>();
  for (const member of members) {
    const path = cachePath(member.name, prefix);
    const made = isSafePath(path)
      ? entry(member, path, (target) => entries.get(cachePath(target, prefix)))
      : undefined;
    if (made !== undefined) entries.set(path, made);
  }
  return { path, entries: [...entries.values()] };
}

function entry(
  { type, mode, size, mtime, offset, target = '' }: ListedMember,
  path: BytePath,
  find: (target: string) => CacheEntry | undefined,
): CacheEntry | undefined {
  switch (type) {
    case 'directory':
      return { kind: 'directory', path, mode: mode & 0o7777, origin: earliest };
    case 'symlink':
      return { kind: 'symlink', path, target, origin: earliest };
    case 'file':
    case 'contiguous-file':
      return {
        kind: 'file',
        path,
        mode: mode & 0o7777,
        size,
        mtimeMs: mtime.getTime(),
        origin: earliest,
        content: { offset, length: size, sha256: undefined, crc32: undefined },
      };
    case 'link': {
      const twin = find(target);
      return twin?.kind === 'file' ? { ...twin, path } : undefined;
    }
    default:
      return undefined;
  }
}

function cachePath(name: string, prefix: string): BytePath {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  const path = parts.join('/');
  return path.startsWith(prefix) ? path.slice(prefix.length) : path;
}
