/** `@flash/tar-archive`: safe unpacking of tar archives, listing them, and the headers to write them with. */
export { type ArchiveBound, BrokenArchiveError } from './broken-archive-error.ts';
export type { Python } from './decompress-with-python.ts';
export { type ListedMember, listArchive } from './list-archive.ts';
export { tarEnd, tarHeader, type TarMember, tarPadding } from './tar-header.ts';
export { unpackArchive, type Unpacked, type UnpackOptions } from './unpack-archive.ts';
export { UnsafeArchiveError } from './unsafe-archive-error.ts';
