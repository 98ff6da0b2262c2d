import { openSync } from 'node:fs';
import type { BytePath } from './byte-path.ts';
import type { FileEntry, RestorableFile } from './cache-entry.ts';
import { DamagedContentError, PlacedFiles } from './local/placed-files.ts';
import { ArchiveReader } from './volume/archive-reader.ts';

/** Files of one archive that are to be put in the cache directory; by their places in the archive, twins beside each other. */
export interface Share {
  /** The cache directory. */
  readonly root: string;
  /** Where files are written before they appear; on the cache directory's file system. `undefined`: no process looks there yet, and they are written in place. */
  readonly staging: string | undefined;
  readonly archive: string;
  readonly files: readonly RestorableFile[];
}

export interface RestorationReport {
  /** Bytes that were written. */
  readonly bytes: number;
  /** Files whose content is not what was stored: they were not placed. */
  readonly damaged: readonly BytePath[];
  /** The archive is not there any more; nothing was placed. */
  readonly isGone: boolean;
}

/** @throws Error when the cache directory can't be written, or the archive not be read. */
export function restore({ root, staging, archive, files }: Share): RestorationReport {
  let reader: ArchiveReader;
  try {
    reader = new ArchiveReader(openSync(archive, 'r'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return { bytes: 0, damaged: [], isGone: true };
  }
  const placed = new PlacedFiles(root, staging);
  const damaged: BytePath[] = [];
  let bytes = 0;
  let last: FileEntry | undefined;
  try {
    for (const file of files) {
      const { offset, length } = file.content;
      try {
        if (last?.content.offset === offset) placed.hardLink(file.path, last.path);
        else {
          placed.file(file, reader.read(offset, length));
          bytes += length;
        }
        last = file;
      } catch (error) {
        if (!(error instanceof DamagedContentError)) throw error;
        damaged.push(file.path);
      }
    }
  } finally {
    reader.close();
  }
  return { bytes, damaged, isGone: false };
}
