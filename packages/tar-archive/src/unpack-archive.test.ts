import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Header, pack } from 'tar-stream';
import { BrokenArchiveError, unpackArchive, UnsafeArchiveError } from './index.ts';

const limits = { maxMembers: 100, maxBytes: 10_000_000, maxMemoryBytes: 1e8 };
type Member = Partial<Header> & { readonly name: string; readonly body?: string };

let base: string;
let target: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'flash-test-'));
  target = join(base, 'deep', 'target');
  mkdirSync(target, { recursive: true });
});
afterEach(() => rmSync(base, { recursive: true }));

async function archive(members: readonly Member[]): Promise<Buffer> {
  const tar = pack();
  for (const { body = '', ...header } of members) tar.entry(header, body);
  tar.finalize();
  const pieces: Buffer[] = [];
  for await (const piece of tar) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

function unpack(bytes: Buffer, more: Partial<typeof limits> & { signal?: AbortSignal } = {}) {
  const path = join(base, 'archive');
  writeFileSync(path, bytes);
  return unpackArchive(path, target, { ...limits, ...more });
}

/** One header block as its bytes, for what no tool would write. */
function block(name: string, type: string, size = 0, linkname = '', corrupt = false): Buffer {
  const bytes = Buffer.alloc(512);
  bytes.write(name, 0, 100, 'latin1');
  bytes.write(['0000644', '0000000', '0000000', ''].join('\x00'), 100);
  bytes.write(`${size.toString(8).padStart(11, '0')}\x00`, 124);
  bytes.write(`${'0'.repeat(11)}\x00`, 136);
  bytes.write('        ', 148);
  bytes.write(type, 156, 1, 'latin1');
  bytes.write(linkname, 157, 100, 'latin1');
  bytes.write(`ustar\x00${'00'}`, 257);
  const sum = bytes.reduce((total, byte) => total + byte, corrupt ? 1 : 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\x00 `, 148);
  return bytes;
}

const end = Buffer.alloc(1024);
const file = (name: string, body = 'x'): Member => ({ name, body });
const link = (name: string, linkname: string): Member => ({ name, linkname, type: 'symlink' });
const hard = (name: string, linkname: string): Member => ({ name, linkname, type: 'link' });

describe('unpackArchive', () => {
  it.each([
    ['gzipped', gzipSync],
    ['plain', (bytes: Buffer) => bytes],
  ])('unpacks a %s archive: files, directories, links, modes, times', async (_, wrap) => {
    const mtime = new Date('2024-05-06T07:08:09Z');
    const bytes = await archive([
      { name: './', type: 'directory' },
      { name: 'pkg/', type: 'directory', mode: 0o700 },
      { ...file('pkg/run.sh', 'echo'), mode: 0o755, mtime },
      file('no/directory/member.txt', 'y'),
      file('empty', ''),
      file('large', 'z'.repeat(3_000_000)),
      file(`${'long/'.repeat(40)}ü😀.txt`, 'long'),
      link('pkg/link', '../large'),
      link('up', 'pkg'),
      hard('twin', 'pkg/run.sh'),
    ]);
    expect(await unpack(wrap(bytes))).toEqual({ members: 10, bytes: 3_000_009 });
    const at = (name: string): string => join(target, name);
    expect(readFileSync(at('large'), 'utf8')).toBe('z'.repeat(3_000_000));
    expect(readFileSync(at('pkg/link'), 'utf8')).toHaveLength(3_000_000);
    expect([readlinkSync(at('up')), readFileSync(at('empty'), 'utf8')]).toEqual(['pkg', '']);
    expect(readFileSync(at(`${'long/'.repeat(40)}ü😀.txt`), 'utf8')).toBe('long');
    const run = statSync(at('pkg/run.sh'));
    expect([run.mode & 0o7777, run.nlink, run.mtime]).toEqual([0o755, 2, mtime]);
    expect(statSync(at('pkg')).mode & 0o7777).toBe(0o700);
  });

  it('drops set-id and sticky bits', async () => {
    await unpack(
      await archive([
        { ...file('su'), mode: 0o6755 },
        { name: 'd', type: 'directory', mode: 0o3777 },
      ]),
    );
    expect(statSync(join(target, 'su')).mode & 0o7000).toBe(0);
    expect(statSync(join(target, 'd')).mode & 0o7000).toBe(0);
  });

  it('lets a later member of the same name count, whatever the earlier one was', async () => {
    await unpack(
      await archive([
        file('a', 'one'),
        hard('b', 'a'),
        file('a', 'two'),
        file('x', 'kept'),
        link('c', 'x'),
        file('c', 'own'),
      ]),
    );
    const text = (name: string): string => readFileSync(join(target, name), 'utf8');
    expect([text('a'), text('b'), text('c'), text('x')]).toEqual(['two', 'one', 'own', 'kept']);
  });

  it('fills a directory without write permission', async () => {
    await unpack(await archive([{ name: 'd', type: 'directory', mode: 0o500 }, file('d/f')]));
    expect(existsSync(join(target, 'd/f'))).toBe(true);
  });

  const outside: [string, Member[]][] = [
    ['an absolute path', [file('/etc/evil')]],
    ['a path that climbs', [file('../evil')]],
    ['a path that climbs later', [file('a/../../evil')]],
    ['a path that climbs within', [file('a/../evil')]],
    ['a path that is ".."', [{ name: '..', type: 'directory' }]],
    ['a path behind a dot', [file('./../evil')]],
    ['a directory that is absolute', [{ name: '/tmp/evil/', type: 'directory' }]],
    ['a link that is absolute', [link('l', '/etc/passwd')]],
    ['a link that climbs', [link('l', '../evil')]],
    ['a deep link that climbs too far', [link('a/b/l', '../../../evil')]],
    ['a link to nothing', [link('l', '')]],
    ['a link that climbs after it went down', [link('a', '.'), link('l', 'a/..')]],
    ['a link that climbs by another link', [link('d/up', '..'), link('l', 'd/up/../..')]],
    ['a link that is the parent', [link('l', '..')]],
    ['a file through a link to inside', [{ name: 'd', type: 'directory' }, link('l', 'd'), file('l/evil')]],
    [
      'a directory through a link',
      [{ name: 'd', type: 'directory' }, link('l', 'd'), { name: 'l/evil', type: 'directory' }],
    ],
    ['a link through a link', [{ name: 'd', type: 'directory' }, link('l', 'd'), link('l/m', '../x')]],
    ['a file through a file', [file('f'), file('f/evil')]],
    ['a directory in place of a link', [link('l', '.'), { name: 'l', type: 'directory' }]],
    ['a file in place of a directory', [file('d/f'), file('d')]],
    ['a link in place of a directory', [file('d/f'), link('d', '.')]],
    ['a file in place of the target', [file('.')]],
    ['a link in place of the target', [link('./', 'x')]],
    ['a hard link that is absolute', [hard('h', '/etc/passwd')]],
    ['a hard link that climbs', [hard('h', '../secret')]],
    ['a hard link to what is not in the archive', [hard('h', 'unknown')]],
    ['a hard link to a link', [link('d/e/l', '../../x'), hard('h', 'd/e/l')]],
    ['a hard link to a directory', [file('d/f'), hard('h', 'd')]],
    ['a hard link to itself', [file('f'), hard('f', 'f')]],
    ['a character device', [{ name: 'dev', type: 'character-device', devmajor: 1, devminor: 3 }]],
    ['a block device', [{ name: 'dev', type: 'block-device', devmajor: 8, devminor: 0 }]],
    ['a pipe', [{ name: 'pipe', type: 'fifo' }]],
    ['a name that is too long', [file('n'.repeat(300))]],
    ['a path that is too long', [file(`${'n/'.repeat(3000)}f`)]],
  ];
  it.each(outside)('refuses %s, naming the member, and writes nothing outside', async (_, members) => {
    writeFileSync(join(base, 'deep', 'secret'), 'untouched');
    const before = readdirSync(join(base, 'deep')).sort();
    const failure = await unpack(gzipSync(await archive(members))).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UnsafeArchiveError);
    expect((failure as UnsafeArchiveError).message).toContain(
      JSON.stringify(members.at(-1)?.name.slice(0, 300)).slice(0, 50),
    );
    expect(readdirSync(join(base, 'deep')).sort()).toEqual(before);
    expect(existsSync('/etc/evil') || existsSync('/tmp/evil')).toBe(false);
  });

  it('refuses kinds it does not know', async () => {
    for (const type of ['S', 'D', 'V', 'Z']) {
      await expect(unpack(Buffer.concat([block('strange', type), end]))).rejects.toBeInstanceOf(
        UnsafeArchiveError,
      );
    }
  });

  it('follows no link that was there before', async () => {
    symlinkSync(base, join(target, 'planted'));
    await expect(unpack(await archive([file('planted/evil')]))).rejects.toThrow();
    expect(existsSync(join(base, 'evil'))).toBe(false);
    rmSync(join(target, 'planted'));
    symlinkSync(join(base, 'evil'), join(target, 'f'));
    await expect(unpack(await archive([file('f')]))).rejects.toThrow();
    expect(existsSync(join(base, 'evil'))).toBe(false);
    expect(lstatSync(join(target, 'f')).isSymbolicLink()).toBe(true);
  });

  const broken: [string, () => Promise<Buffer> | Buffer][] = [
    ['no archive at all', () => Buffer.from('hello, this is no archive'.repeat(100))],
    ['an empty file', () => Buffer.alloc(0)],
    ['a wrong checksum', () => Buffer.concat([block('f', '0', 0, '', true), end])],
    [
      'a cut in the middle of a member',
      async () => (await archive([file('f', 'x'.repeat(5000))])).subarray(0, 2000),
    ],
    [
      'a cut between two members',
      async () => (await archive([file('f', ''), file('g', '')])).subarray(0, 512),
    ],
    ['a cut gzip', async () => gzipSync(await archive([file('f', 'x'.repeat(5000))])).subarray(0, 60)],
    [
      'a gzip with a flipped bit',
      async () => {
        const bytes = gzipSync(await archive([file('f', 'x'.repeat(5000))]));
        bytes[bytes.length - 6] = (bytes[bytes.length - 6] ?? 0) ^ 1;
        return bytes;
      },
    ],
    ['a gzip of something else', () => gzipSync('no tar')],
    ['a size that does not end', () => Buffer.concat([block('f', '0', 8 ** 11 - 1), end])],
    [
      'an extended header without an end',
      () => Buffer.concat([block('f', 'x', 100_000_000), Buffer.alloc(6_000_000)]),
    ],
  ];
  it.each(broken)('tells %s from an archive', async (_, make) => {
    await expect(unpack(await make())).rejects.toBeInstanceOf(BrokenArchiveError);
  });

  it('has bounds: members, bytes, and a bomb', async () => {
    const members = Array.from({ length: 101 }, (_, index) => file(`f${index}`, ''));
    await expect(unpack(await archive(members))).rejects.toThrow('100 members');
    const bomb = gzipSync(await archive([file('zeros', '\0'.repeat(20_000_000))]));
    expect(bomb.length).toBeLessThan(100_000);
    await expect(unpack(bomb)).rejects.toThrow('10000000 bytes');
  });

  it('ends when it is aborted', async () => {
    const stop = new AbortController();
    stop.abort(new Error('enough'));
    await expect(unpack(await archive([file('f')]), { signal: stop.signal })).rejects.toThrow('enough');
  });

  it('says what the system says when it can’t write', async () => {
    rmSync(target, { recursive: true });
    await expect(unpack(await archive([file('f')]))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('unpacks what tar itself has packed, as tar does', async () => {
    const source = join(base, 'source');
    mkdirSync(join(source, 'a/b'), { recursive: true });
    for (let index = 0; index < 50; index++)
      writeFileSync(join(source, `a/f${index}`), 'x'.repeat(index * 100));
    symlinkSync('f1', join(source, 'a/link'));
    execFileSync('tar', ['czf', join(base, 'made.tgz'), '-C', source, '.']);
    await unpackArchive(join(base, 'made.tgz'), target, limits);
    for (let index = 0; index < 50; index++)
      expect(readFileSync(join(target, `a/f${index}`), 'utf8')).toBe('x'.repeat(index * 100));
    expect([readlinkSync(join(target, 'a/link')), readdirSync(join(target, 'a')).length]).toEqual(['f1', 52]);
  });
});
