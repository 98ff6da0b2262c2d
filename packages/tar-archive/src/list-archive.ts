import { createReadStream } from 'node:fs';
import type { Header } from 'tar-stream';
import { BrokenArchiveError } from './broken-archive-error.ts';

/** The library's types lack this option, which gives names as one character for each byte. */
const options = { filenameEncoding: 'latin1', allowUnknownFormat: true } as Parameters<
  typeof import('tar-stream').extract
>[0];

const readAheadBytes = 1024 * 1024;

/** A member of an archive, and where in the file its body is. */
export interface ListedMember {
  readonly type: NonNullable<Header['type']>;
  /** The name, one character for each of its bytes. */
  readonly name: string;
  /** Where a link leads, one character a byte. */
  readonly target: string | undefined;
  readonly size: number;
  readonly mode: number;
  readonly mtime: Date;
  /** Position of the body in the file. */
  readonly offset: number;
}

/**
 * Lists the members of a plain tar archive, in their order. What comes after a place that can't be read is missing from the list.
 *
 * @returns the members, and why the list ends early, if it does.
 */
export async function listArchive(
  path: string,
  maxMembers: number,
): Promise<{ readonly members: readonly ListedMember[]; readonly broken: BrokenArchiveError | undefined }> {
  const members: ListedMember[] = [];
  const source = createReadStream(path, { highWaterMark: readAheadBytes });
  // Most who use this library never list or unpack: they need not wait for what that takes.
  const { extract } = await import('tar-stream');
  const tar = extract(options);
  source.on('error', (error) => tar.destroy(error));
  source.pipe(tar);
  try {
    for await (const entry of tar) {
      const { type, name, linkname, size = 0, mode = 0o644, mtime = new Date(0) } = entry.header;
      const { byteOffset: offset } = entry.header as Header & { byteOffset: number };
      if (members.length === maxMembers)
        throw new Error(`it has more than the ${maxMembers} members that are allowed`);
      members.push({ type: type ?? 'file', name, target: linkname ?? undefined, size, mode, mtime, offset });
      entry.resume();
    }
  } catch (error) {
    return { members, broken: new BrokenArchiveError((error as Error).message, { cause: error }) };
  } finally {
    source.destroy();
  }
  return { members, broken: undefined };
}
