import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../../../scripts/lib/until.ts';
import { tarEnd, tarHeader, tarPadding, unpackArchive } from './index.ts';

const interpreter =
  process.env.FLASH_PYTHON ?? fileURLToPath(new URL('../../../.venv/bin/python', import.meta.url));
const python = () => ({ python: interpreter, env: process.env });

/** Compresses with Python's own libraries, whatever tools the machine has. */
function compress(expression: string, data: Buffer): Buffer {
  const code = `import bz2, lzma, sys; data = sys.stdin.buffer.read(); sys.stdout.buffer.write(${expression})`;
  return execFileSync(interpreter, ['-c', code], { input: data, maxBuffer: 1e9 });
}

function tar(files: Readonly<Record<string, Buffer>>): Buffer {
  const members = Object.entries(files).map(([name, body]) => {
    const header = {
      type: 'file',
      name: Buffer.from(name),
      size: body.length,
      mode: 0o644,
      mtime: 0,
    } as const;
    return Buffer.concat([tarHeader(header), body, Buffer.alloc(tarPadding(body.length))]);
  });
  return Buffer.concat([...members, tarEnd]);
}

const noise = Buffer.from(Array.from({ length: 700_000 }, (_, at) => (at * 2_654_435_761) >>> 13));
const files = { 'app/main.py': Buffer.from('print("hi")\n'), 'app/data.bin': noise };
const archive = tar(files);
const forms: Readonly<Record<string, (data: Buffer) => Buffer>> = {
  plain: (data) => data,
  gzip: (data) => gzipSync(data),
  bzip2: (data) => compress('bz2.compress(data)', data),
  xz: (data) => compress('lzma.compress(data)', data),
  // As the program does, unlike the library.
  zstd: (data) => zstdCompressSync(data, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
  'bzip2 in several streams': (data) =>
    compress('b"".join(bz2.compress(data[i:i + 300000]) for i in range(0, len(data), 300000))', data),
  'xz in several streams with padding': (data) =>
    compress('lzma.compress(data[:5000]) + bytes(8) + lzma.compress(data[5000:]) + bytes(4)', data),
  'zstd in several frames': (data) =>
    Buffer.concat([zstdCompressSync(data.subarray(0, 9999)), zstdCompressSync(data.subarray(9999))]),
};

let directory: string;
let target: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'flash-test-'));
  target = join(directory, 'target');
  mkdirSync(target);
});
afterEach(() => rmSync(directory, { recursive: true }));

const limits = { maxMembers: 100, maxBytes: 5_000_000, maxMemoryBytes: 256 * 1024 ** 2, python };
function unpack(bytes: Buffer, more: Partial<typeof limits> & { signal?: AbortSignal } = {}) {
  // Its name says nothing.
  const path = join(directory, 'artifact.tar.gz');
  writeFileSync(path, bytes);
  rmSync(target, { recursive: true });
  mkdirSync(target);
  return unpackArchive(path, target, { ...limits, ...more });
}

describe('an archive', () => {
  it.each(Object.keys(forms))('in %s is unpacked', async (form) => {
    const { members, bytes } = await unpack((forms[form] as (data: Buffer) => Buffer)(archive));
    expect([members, bytes]).toEqual([2, noise.length + 12]);
    expect(readFileSync(join(target, 'app/data.bin')).equals(noise)).toBe(true);
  });

  it.each(['gzip', 'bzip2', 'xz', 'zstd'])('in %s that is cut or damaged is refused', async (form) => {
    const whole = (forms[form] as (data: Buffer) => Buffer)(archive);
    for (const length of [whole.length - 9, Math.floor(whole.length / 2), 30])
      await expect(unpack(whole.subarray(0, length))).rejects.toThrow(
        /can't be read: it ends in the middle$/,
      );
    const damaged = Buffer.from(whole);
    damaged.fill(0x55, whole.length >> 1, (whole.length >> 1) + 50);
    await expect(unpack(damaged)).rejects.toThrow(
      /can't be read: its (compressed|bzip2|xz) data is damaged: ./,
    );
  });

  it.each(['gzip', 'bzip2', 'xz', 'zstd'])('in %s that holds more than it may is refused', async (form) => {
    const bomb = tar({ zeros: Buffer.alloc(15_000_000) });
    await expect(unpack((forms[form] as (data: Buffer) => Buffer)(bomb))).rejects.toMatchObject({
      message: expect.stringMatching(/more than the 5000000 bytes that are allowed/),
      bound: 'bytes',
    });
  });

  it('that wants for more memory than it may have is refused', async () => {
    const filters = '[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 29}]';
    const xz = compress(`lzma.compress(data, filters=${filters})`, archive);
    const refusal = { bound: 'memory', message: expect.stringMatching(/more than 64000000 bytes of memory/) };
    await expect(unpack(xz, { maxMemoryBytes: 64_000_000 })).rejects.toMatchObject(refusal);
    // ZSTD_c_windowLog; the frame does not tell its size when it is written piece by piece.
    const zstd = execFileSync('zstd', ['--long=27', '-c', '-'], { input: archive });
    await expect(unpack(zstd, { maxMemoryBytes: 64_000_000 })).rejects.toMatchObject(refusal);
  });

  it.each([
    ['nothing', Buffer.alloc(0), 'it is empty'],
    ['a zip', Buffer.concat([Buffer.from('PK\x03\x04'), noise]), 'it is a zip archive: a tar archive'],
    ['7z', Buffer.concat([Buffer.from('377abcaf271c', 'hex'), noise]), 'it is a 7z archive'],
    ['lz4', Buffer.concat([Buffer.from('04224d18', 'hex'), noise]), 'it is compressed with lz4'],
    ['gzip twice', gzipSync(gzipSync(archive)), 'it is compressed with gzip once more'],
    ['zip in bzip2', compress('bz2.compress(b"PK\\x03\\x04" + data)', noise), 'it is a zip archive'],
    ['a page of a proxy', Buffer.from('<html>\n404 not found'), 'it is text, which begins with "<html>'],
    ['anything', noise.subarray(1000), 'it is of an unknown format, and begins with the bytes'],
  ])('that is %s is called so', async (_, bytes, reason) => {
    await expect(unpack(bytes)).rejects.toThrow(`can't be read: ${reason}`);
  });

  it('is refused with the reason where there is no Python for it', async () => {
    const xz = (forms.xz as (data: Buffer) => Buffer)(archive);
    await expect(unpack(xz, { python: undefined as never })).rejects.toThrow(
      /compressed with xz, and there is no Python/,
    );
    const nowhere = () => ({ python: '/no/such/python', env: {} });
    await expect(unpack(xz, { python: nowhere })).rejects.toThrow(
      /Python can't be started to decompress it: .*ENOENT/,
    );
  });

  it('ends its process when it is given up', async () => {
    const big = compress('lzma.compress(bytes(120_000_000))', Buffer.alloc(0));
    const end = new AbortController();
    setTimeout(() => end.abort(new Error('enough')), 200);
    await expect(unpack(big, { maxBytes: 1e12, signal: end.signal })).rejects.toThrow('enough');
    const left = (): string[] =>
      readdirSync('/proc').filter((pid) => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(directory);
        } catch {
          return false;
        }
      });
    await until(() => left().length === 0);
  });
});
