const blockBytes = 512;
/** GNU tar's word for "the next member has this name", and for what it links to. */
const longName = 'L';
const longLink = 'K';
const types = { file: '0', 'hard link': '1', 'symbolic link': '2', directory: '5' } as const;
/** Numbers up to here fit their field as octal digits; larger ones are written in base 256. */
const mostOctal = 0o77777777777;

/** What a header says of its member. */
export interface TarMember {
  readonly type: keyof typeof types;
  /** The name's bytes; it need not be text. */
  readonly name: Buffer;
  /** Bytes of the body; 0 for everything but files. */
  readonly size: number;
  readonly mode: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  /** Where a link leads. */
  readonly target?: Buffer;
}

/** What stands before a member's body in an archive: one block, and more for long names. Names stay the bytes that they are. */
export function tarHeader(member: TarMember): Buffer {
  const name = member.type === 'directory' ? Buffer.concat([member.name, Buffer.from('/')]) : member.name;
  const { target = Buffer.alloc(0) } = member;
  return Buffer.concat([
    ...(target.length > 100 ? longText(longLink, target) : []),
    ...(name.length > 100 ? longText(longName, name) : []),
    block({ ...member, name, target, type: types[member.type] }),
  ]);
}

/** How many zeros follow a body of this size. */
export function tarPadding(size: number): number {
  return (blockBytes - (size % blockBytes)) % blockBytes;
}

/** What an archive ends with. */
export const tarEnd: Buffer = Buffer.alloc(2 * blockBytes);

function longText(type: string, text: Buffer): Buffer[] {
  const size = text.length + 1;
  const header = {
    type,
    name: Buffer.from('././@LongLink'),
    size,
    mode: 0,
    mtime: 0,
    target: Buffer.alloc(0),
  };
  return [block(header), text, Buffer.alloc(1 + tarPadding(size))];
}

function block(fields: Required<Omit<TarMember, 'type'>> & { readonly type: string }): Buffer {
  const bytes = Buffer.alloc(blockBytes);
  fields.name.copy(bytes, 0, 0, 100);
  bytes.write(`${octal(fields.mode & 0o7777, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0`, 100, 'latin1');
  writeNumber(bytes, 124, fields.size);
  writeNumber(bytes, 136, Math.max(0, Math.floor(fields.mtime)));
  bytes.write('        ', 148, 'latin1');
  bytes.write(fields.type, 156, 'latin1');
  fields.target.copy(bytes, 157, 0, 100);
  bytes.write('ustar  \0', 257, 'latin1');
  let sum = 0;
  for (const byte of bytes) sum += byte;
  bytes.write(`${octal(sum, 6)}\0 `, 148, 'latin1');
  return bytes;
}

function writeNumber(bytes: Buffer, offset: number, value: number): void {
  if (value <= mostOctal) {
    bytes.write(`${octal(value, 11)}\0`, offset, 'latin1');
    return;
  }
  bytes[offset] = 0x80;
  bytes.writeBigUInt64BE(BigInt(value), offset + 4);
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}
