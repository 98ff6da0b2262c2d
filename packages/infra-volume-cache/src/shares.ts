import type { FileEntry } from './cache-entry.ts';

/** A thread takes so much at a time: enough to be worth the message, little enough that all threads end together. */
const shareBytes = 8 * 1024 * 1024;
const shareFiles = 250;

/** Divides the files of an archive into runs of neighbours; hard links of one file stay together. */
export function shares(files: readonly FileEntry[]): FileEntry[][] {
  const sorted = files.toSorted((one, other) => one.content.offset - other.content.offset);
  const all: FileEntry[][] = [];
  let run: FileEntry[] = [];
  let bytes = 0;
  for (const file of sorted) {
    const isTwin = run.at(-1)?.content.offset === file.content.offset;
    if (!isTwin && (bytes >= shareBytes || run.length >= shareFiles)) {
      all.push(run);
      [run, bytes] = [[], 0];
    }
    run.push(file);
    bytes += file.content.length;
  }
  if (run.length > 0) all.push(run);
  return all;
}
