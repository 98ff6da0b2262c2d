import { pipeline } from 'node:stream/promises';
import type { Header } from 'tar-stream';
import { type DecompressOptions, openArchive, WholeArchive } from './archive-stream.ts';
import { BrokenArchiveError } from './broken-archive-error.ts';
import { MemberWriter } from './member-writer.ts';
import { UnsafeArchiveError } from './unsafe-archive-error.ts';

export interface UnpackOptions extends DecompressOptions {
  /** Most members. */
  readonly maxMembers: number;
  /** Most bytes of the archive when it is not compressed. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/** What was unpacked. */
export interface Unpacked {
  readonly members: number;
  readonly bytes: number;
}

/**
 * Unpacks a tar archive, plain or compressed with gzip, bzip2, xz or zstd, into an empty directory that exists. One pass, constant memory. Links stay below the
 * directory, devices and pipes are refused, set-id bits are dropped.
 *
 * @throws UnsafeArchiveError naming the member that is refused; BrokenArchiveError when it is no archive or not whole. What was written
 * by then is left to the caller.
 */
export async function unpackArchive(
  path: string,
  directory: string,
  options: UnpackOptions,
): Promise<Unpacked> {
  const { source, unpack } = await openArchive(path, options);
  const { extract } = await import('tar-stream');
  const tar = extract();
  const writer = new MemberWriter(directory);
  let members = 0;
  let bytes = 0;
  // The first failure is the cause; what fails after it only follows.
  let failure: Error | undefined;
  const take = async (): Promise<void> => {
    try {
      for await (const entry of tar) {
        const { header } = entry;
        if (++members > options.maxMembers)
          throw new UnsafeArchiveError(
            header.name,
            `is one more than the ${options.maxMembers} members that are allowed`,
          );
        bytes += header.size;
        await write(writer, header, entry as unknown as AsyncIterable<Buffer>);
        entry.resume();
      }
      await writer.finish();
    } catch (error) {
      failure ??= error as Error;
      throw error;
    }
  };
  try {
    const feeding = pipeline(source, unpack, new WholeArchive(options.maxBytes), tar, {
      signal: options.signal,
    });
    await Promise.all([feeding, take()]);
  } catch (error) {
    await writer.settle();
    options.signal?.throwIfAborted();
    throw explain(failure ?? (error as Error), options);
  }
  return { members, bytes };
}

function write(writer: MemberWriter, header: Header, body: AsyncIterable<Buffer>): Promise<void> {
  switch (header.type) {
    case 'file':
    case 'contiguous-file':
      return writer.file(header, body);
    case 'directory':
      return writer.directory(header);
    case 'symlink':
      return writer.symbolicLink(header);
    case 'link':
      return writer.hardLink(header);
    default:
      throw new UnsafeArchiveError(
        header.name,
        `is of a kind that is not unpacked (${header.type ?? 'unknown'})`,
      );
  }
}

function explain(error: Error, { maxMemoryBytes }: UnpackOptions): Error {
  if (error instanceof UnsafeArchiveError || error instanceof BrokenArchiveError) return error;
  const { code } = error as NodeJS.ErrnoException;
  // The system's own errors (no space, no permission) say it best.
  if (code !== undefined && /^E[A-Z0-9]+$/.test(code)) return error;
  if (code === 'Z_BUF_ERROR') return new BrokenArchiveError('it ends in the middle', { cause: error });
  if (code === 'ZSTD_error_frameParameter_windowTooLarge') {
    const reason = `it wants for more than ${maxMemoryBytes} bytes of memory to be decompressed`;
    return new BrokenArchiveError(reason, { bound: 'memory', cause: error });
  }
  if (code?.startsWith('Z_') || code?.startsWith('ZSTD_'))
    return new BrokenArchiveError(`its compressed data is damaged: ${error.message}`, { cause: error });
  return new BrokenArchiveError(error.message, { cause: error });
}
