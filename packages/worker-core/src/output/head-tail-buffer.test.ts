import { describe, expect, it } from '@jest/globals';
import { HeadTailBuffer } from './head-tail-buffer.ts';

describe('HeadTailBuffer', () => {
  it('keeps everything within the bound', () => {
    const buffer = new HeadTailBuffer(10, 'SETTING');
    expect(buffer.isEmpty).toBe(true);
    for (const piece of ['abc', 'def', 'ghij']) buffer.appendText(piece);
    expect(buffer.toString()).toBe('abcdefghij');
    expect(buffer.isEmpty).toBe(false);
  });

  it('keeps head and tail of a flood and says how much it cut', () => {
    const buffer = new HeadTailBuffer(10, 'SETTING');
    for (let index = 0; index < 100_000; index++) buffer.appendText('0123456789');
    expect(buffer.toString()).toBe(
      '01234\n[… 999990 bytes of output cut; raise SETTING to keep more …]\n56789',
    );
  });

  it('decodes characters that were torn between two pieces', () => {
    const buffer = new HeadTailBuffer(100, 'SETTING');
    const bytes = new TextEncoder().encode('grün');
    for (const byte of bytes) buffer.append(Uint8Array.of(byte));
    expect(buffer.toString()).toBe('grün');
  });

  it('keeps a copy: the caller may use its bytes again', () => {
    const buffer = new HeadTailBuffer(100, 'SETTING');
    const bytes = new TextEncoder().encode('one');
    buffer.append(bytes);
    bytes.fill(0);
    expect(buffer.toString()).toBe('one');
  });

  it('shows what is no UTF-8 as replacement characters', () => {
    const buffer = new HeadTailBuffer(100, 'SETTING');
    buffer.append(Uint8Array.of(0xff, 0x41));
    expect(buffer.toString()).toBe('\ufffdA');
  });
});
