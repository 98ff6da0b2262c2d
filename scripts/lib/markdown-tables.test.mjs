import { expect, it } from '@jest/globals';
import { differ, filled, table } from './markdown-tables.mjs';

const document = 'before\n<!-- one -->\nold\n<!-- end -->\nbetween\n<!-- two -->\n<!-- end -->\nafter\n';

it('makes a table, whose cells may have bars', () => {
  expect(table(['a', 'b'], [[1, 'x|y']])).toBe('| a | b |\n| --- | --- |\n| 1 | x\\|y |');
});

it('fills in what stands between markers, and nothing else', () => {
  expect(filled(document, { '<!-- two -->': 'second', '<!-- one -->': 'first' }, '<!-- end -->')).toBe(
    'before\n<!-- one -->\n\nfirst\n\n<!-- end -->\nbetween\n<!-- two -->\n\nsecond\n\n<!-- end -->\nafter\n',
  );
});

it.each([
  ['<!-- three -->', '<!-- end -->', 'it has no <!-- three -->'],
  ['<!-- two -->', '<!-- fin -->', 'it has no <!-- fin -->'],
])('names a marker that is missing: %s, %s', (begin, end, message) => {
  expect(() => filled(document, { [begin]: '' }, end)).toThrow(message);
});

it('tells contents from padding', () => {
  expect(differ('| a |\n| --- |\n| b   |', '| a   |\n| ------ |\n| b |')).toBe(false);
  expect(differ('| a |', '| b |')).toBe(true);
});
