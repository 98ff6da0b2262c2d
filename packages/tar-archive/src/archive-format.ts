const blockBytes = 512;
const ustarAt = 257;
const checksum = { start: 148, end: 156 } as const;

/** What a tar archive may be compressed with here; `undefined`: nothing. */
export type Compression = 'gzip' | 'bzip2' | 'xz' | 'zstd' | undefined;

/** The first bytes of files of other kinds, so that people are told what they have. */
const known: readonly (readonly [kind: string, magic: Buffer])[] = [
  ['a zip archive', Buffer.from('PK\x03\x04')],
  ['an empty zip archive', Buffer.from('PK\x05\x06')],
  ['a 7z archive', Buffer.from('377abcaf271c', 'hex')],
  ['a RAR archive', Buffer.from('Rar!')],
  ['an ar archive (a Debian package is one)', Buffer.from('!<arch>')],
  ['an RPM package', Buffer.from('edabeedb', 'hex')],
  ['a cpio archive', Buffer.from('07070')],
  ['compressed with lz4', Buffer.from('04224d18', 'hex')],
  ['compressed with lzip', Buffer.from('LZIP')],
  ['compressed with lzop', Buffer.from('894c5a4f', 'hex')],
  ['compressed with lzma, the format before xz', Buffer.from('5d0000', 'hex')],
  ['compressed with compress (.Z)', Buffer.from('1f9d', 'hex')],
  ['an executable', Buffer.from('\x7fELF')],
];
const compressions: readonly (readonly [Exclude<Compression, undefined>, Buffer])[] = [
  ['gzip', Buffer.from('1f8b', 'hex')],
  ['bzip2', Buffer.from('BZh')],
  ['xz', Buffer.from('fd377a585a00', 'hex')],
  ['zstd', Buffer.from('28b52ffd', 'hex')],
];
const supported = 'a tar archive, plain or compressed with gzip, bzip2, xz or zstd, is unpacked';

/** What a file is compressed with, by its first bytes. Its name says nothing. */
export function compressionOf(head: Buffer): Compression {
  return compressions.find(([, magic]) => startsWith(head, magic))?.[0];
}

/**
 * What is wrong with bytes that should begin a tar archive; `undefined` when they may.
 *
 * @param head - the first 512 bytes, or all there are.
 */
export function notTar(head: Buffer): string | undefined {
  if (head.length === 0) return 'it is empty';
  const kind = known.find(([, magic]) => startsWith(head, magic))?.[0] ?? nestedKind(head);
  if (isTarHeader(head)) return undefined;
  if (kind !== undefined) return `it is ${kind}: ${supported}`;
  if (isText(head))
    return `it is text, which begins with ${JSON.stringify(head.toString('utf8', 0, 40))}: ${supported}`;
  if (head.length < blockBytes) return 'it ends in the middle';
  return `it is of an unknown format, and begins with the bytes ${head.toString('hex', 0, 8)}: ${supported}`;
}

function nestedKind(head: Buffer): string | undefined {
  const compression = compressionOf(head);
  return compression && `compressed with ${compression} once more`;
}

function startsWith(head: Buffer, magic: Buffer): boolean {
  return head.subarray(0, magic.length).equals(magic);
}

/** Archives of the oldest form have no name of a format, but all have a sum of their header. A block of zeros ends an archive. */
function isTarHeader(head: Buffer): boolean {
  if (head.length < blockBytes) return false;
  if (head.toString('latin1', ustarAt, ustarAt + 5) === 'ustar' || head.every((byte) => byte === 0))
    return true;
  const { start, end } = checksum;
  const told = Number.parseInt(head.toString('latin1', start, end).trim(), 8);
  const sum = head.reduce((total, byte, at) => total + (at >= start && at < end ? 0x20 : byte), 0);
  return told === sum;
}

function isText(head: Buffer): boolean {
  return head
    .subarray(0, 40)
    .every((byte) => byte >= 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09);
}
