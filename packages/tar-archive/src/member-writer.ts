import { constants } from 'node:fs';
import { chmod, link, mkdir, open, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Header } from 'tar-stream';
import { checkLinkTarget, memberPath } from './member-path.ts';
import { UnsafeArchiveError } from './unsafe-archive-error.ts';

/** Files up to here are written beside each other; larger ones one after the other, piece by piece. */
const smallFileBytes = 1024 * 1024;
const filesAtOnce = 16;
const permissions = 0o777;
const ownerReads = 0o400;
const ownerUses = 0o700;
const newFile = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

type Kind = 'file' | 'directory' | 'link';

/** Writes the members of an archive below one directory, and nothing anywhere else. */
export class MemberWriter {
  readonly #root: string;
  /** What was written, by path below the root. */
  readonly #written = new Map<string, Kind>([['', 'directory']]);
  /** Modes that directories get in the end: one that can't be written to still has to be filled. */
  readonly #directoryModes = new Map<string, number>();
  readonly #atWork = new Set<Promise<void>>();
  #failure: Error | undefined;

  constructor(root: string) {
    this.#root = root;
  }

  async file(header: Header, body: AsyncIterable<Buffer>): Promise<void> {
    const path = await this.#place(header.name, 'file');
    const mode = (header.mode & permissions) | ownerReads;
    if (header.size > smallFileBytes) {
      await this.#room(1);
      await writeFile(path, mode, body, header.mtime);
      return;
    }
    const pieces: Buffer[] = [];
    for await (const piece of body) pieces.push(piece);
    await this.#room(filesAtOnce);
    this.#start(writeFile(path, mode, [Buffer.concat(pieces)], header.mtime));
  }

  async directory({ name, mode }: Header): Promise<void> {
    const parts = memberPath(name);
    await this.#directories(name, parts);
    this.#directoryModes.set(parts.join('/'), (mode & permissions) | ownerUses);
  }

  async symbolicLink({ name, linkname }: Header): Promise<void> {
    const parts = memberPath(name);
    checkLinkTarget(name, parts, linkname ?? '');
    const path = await this.#place(name, 'link');
    await symlink(linkname, path);
  }

  async hardLink({ name, linkname }: Header): Promise<void> {
    const target = relativePath(linkname);
    // Another name for a link would make it start from somewhere else.
    if (this.#written.get(target) !== 'file')
      throw new UnsafeArchiveError(
        name,
        `is a hard link to ${JSON.stringify(linkname)}, which is no file of the archive`,
      );
    await this.#room(1);
    const path = await this.#place(name, 'file');
    if (path === join(this.#root, target)) throw new UnsafeArchiveError(name, 'is a hard link to itself');
    await link(join(this.#root, target), path);
  }

  /** Resolves when all is written. */
  async finish(): Promise<void> {
    await this.#room(1);
    // The deepest first: a directory may lose its own right to be entered.
    for (const [path, mode] of [...this.#directoryModes].toReversed())
      await chmod(join(this.#root, path), mode);
  }

  /** Resolves when nothing is being written any more; never rejects. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#atWork);
  }

  /** Makes way for a new member, and returns its path on disk. */
  async #place(name: string, kind: Kind): Promise<string> {
    const parts = memberPath(name);
    if (parts.length === 0) throw new UnsafeArchiveError(name, 'would replace the target itself');
    await this.#directories(name, parts.slice(0, -1));
    const key = parts.join('/');
    const path = join(this.#root, key);
    const earlier = this.#written.get(key);
    if (earlier === 'directory') throw new UnsafeArchiveError(name, 'would replace a directory');
    if (earlier !== undefined) {
      // A later member of the same name counts, as with tar itself.
      await this.#room(1);
      await rm(path, { force: true });
    }
    this.#written.set(key, kind);
    return path;
  }

  /** Makes the directories of a path; nothing is ever written through a link. */
  async #directories(name: string, parts: readonly string[]): Promise<void> {
    for (let length = 1; length <= parts.length; length++) {
      const key = parts.slice(0, length).join('/');
      const kind = this.#written.get(key);
      if (kind === 'directory') continue;
      if (kind !== undefined)
        throw new UnsafeArchiveError(
          name,
          `goes through ${JSON.stringify(key)}, which is ${kind === 'link' ? 'a link' : 'a file'}`,
        );
      await mkdir(join(this.#root, key), { mode: 0o755 });
      this.#written.set(key, 'directory');
    }
  }

  /** Resolves when fewer than `most` files are being written; rejects when one of them could not be. */
  async #room(most: number): Promise<void> {
    while (this.#atWork.size >= most) await Promise.race(this.#atWork);
    if (this.#failure !== undefined) throw this.#failure;
  }

  #start(writing: Promise<void>): void {
    const work = writing
      .catch((error: Error) => {
        this.#failure ??= error;
      })
      .finally(() => this.#atWork.delete(work));
    this.#atWork.add(work);
  }
}

/** The path a link names, as the archive's own members are named; one that is none of theirs stays as it is. */
function relativePath(linkname: string | null): string {
  return (linkname ?? '')
    .split('/')
    .filter((part, index) => part !== '.' && (part !== '' || index === 0))
    .join('/');
}

async function writeFile(
  path: string,
  mode: number,
  pieces: Iterable<Buffer> | AsyncIterable<Buffer>,
  mtime: Date,
): Promise<void> {
  const file = await open(path, newFile, mode);
  try {
    for await (const piece of pieces) if (piece.length > 0) await file.writeFile(piece);
    // Compiled Python code counts only beside a source of the very time it was made from.
    await file.utimes(mtime, mtime);
  } finally {
    await file.close();
  }
}
