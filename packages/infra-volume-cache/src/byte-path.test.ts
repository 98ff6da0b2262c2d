import { describe, expect, it } from '@jest/globals';
import { isSafePath, readPath, writePath } from './byte-path.ts';

describe('isSafePath', () => {
  it.each([
    'a',
    'a/b',
    '.a',
    '..a',
    'a..',
    'a/...',
    '...',
    'a b\nc',
    'n'.repeat(255),
    `${'n'.repeat(255)}/x`,
    'a/.b/..c',
  ])('takes %j', (path) => expect(isSafePath(path)).toBe(true));

  it.each([
    '',
    '/',
    '/a',
    'a/',
    'a//b',
    '.',
    '..',
    './a',
    'a/./b',
    'a/..',
    '../a',
    'a/../b',
    'a\0b',
    'n'.repeat(256),
    `a/${'n'.repeat(256)}/b`,
    `${'a/'.repeat(2100)}a`,
  ])('refuses %j', (path) => expect(isSafePath(path)).toBe(false));
});

describe('writePath', () => {
  it.each(['plain', 'ä', '\xff\xfe', 'x\ny'])('writes %j so that it is read as it was', (text) => {
    for (const bytes of [Buffer.from(text, 'utf8'), Buffer.from(text, 'latin1')]) {
      const path = bytes.toString('latin1');
      expect(readPath(JSON.parse(JSON.stringify(writePath(path))))).toBe(path);
    }
  });
});
