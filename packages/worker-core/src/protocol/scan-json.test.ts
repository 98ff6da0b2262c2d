import { describe, expect, it } from '@jest/globals';
import { elementsOf, isDeeperThan } from './scan-json.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('isDeeperThan', () => {
  it.each([
    ['[[[]]]', 3, false],
    ['[[[]]]', 2, true],
    ['{"a":{"b":[1,{"c":2}]}}', 4, false],
    ['{"a":{"b":[1,{"c":2}]}}', 3, true],
    // Brackets in strings are text, also behind quotes that are escaped, and behind backslashes that are.
    ['["[[[[[[[[[[[[[[", "{{{{{{{{{{"]', 1, false],
    [String.raw`["\"[[[[[[[", "\\", ["\\\"[[[[["]]`, 2, false],
    [String.raw`["\\", [[["x"]]]]`, 3, true],
    // What ends in the middle of a string ends.
    ['[[["[[[[[[[[[[', 3, false],
    ['[1],[2],[3],[4],[5]', 1, false],
  ])('%s within %d: %s', (text, levels, expected) => {
    expect(isDeeperThan(bytes(text), levels)).toBe(expected);
  });

  it('takes any depth', () => {
    expect(isDeeperThan(bytes('{"x":'.repeat(2_000_000)), 1_999_999)).toBe(true);
    expect(isDeeperThan(bytes('['.repeat(700_000) + ']'.repeat(700_000)), 700_000)).toBe(false);
  });
});

describe('elementsOf', () => {
  it.each([
    '[]',
    ' [ \n ] ',
    '[1]',
    '[12345678901234567890, 1e3 ,"a,]\\"[", {"b":[1,2,{"c":","}]},[[]], null]',
    ' [ "one" ] ',
  ])('has the text of each element of %s', (text) => {
    const texts = elementsOf(bytes(text)).map((element) => new TextDecoder().decode(element));
    expect(texts.map((element) => JSON.parse(element))).toEqual(JSON.parse(text));
  });

  it('leaves each as it came', () => {
    const [number] = elementsOf(bytes('[ 12345678901234567890]'));
    expect(new TextDecoder().decode(number)).toBe(' 12345678901234567890');
  });
});
