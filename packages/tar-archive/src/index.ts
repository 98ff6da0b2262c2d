/** `@flash/tar-archive`: safe unpacking of tar archives. */
export { BrokenArchiveError } from './broken-archive-error.ts';
export { unpackArchive, type Unpacked, type UnpackOptions } from './unpack-archive.ts';
export { UnsafeArchiveError } from './unsafe-archive-error.ts';
