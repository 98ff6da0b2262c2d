import { expect, it } from '@jest/globals';
import { brokenReferences, headingsOf } from './protocol-references.mjs';

/** In one piece it would be a reference of this file's own. */
const page = ['docs/reference', 'protocol.md'].join('/');
const headings = headingsOf('# Protocol reference\n\n## Queue protocol\n\ntext\n\n### Ping\n');

it('reads headings of every level', () => {
  expect(headings).toEqual(['Protocol reference', 'Queue protocol', 'Ping']);
});

it('finds headings that are there, alone and several, also over the end of a line', () => {
  const text = [
    `/** Lives (${page}, Ping). */`,
    '/**',
    ` * Both (${page}, Queue protocol`,
    ' * and Ping).',
    ' */',
    `# Python too (${page},`,
    '# Queue protocol): and more',
    `[ping](${page}#ping), [queue](../${page}#queue-protocol)`,
  ].join('\n');
  expect(brokenReferences(text, headings)).toEqual([]);
});

it.each([
  [`(${page}, Pong)`, 'Pong'],
  [`(${page}, Ping and Pong)`, 'Pong'],
  [`// (${page}, Queue\n// protocols)`, 'Queue protocols'],
  [`[ping](${page}#pings)`, '#pings'],
])('names what is not there: %s', (text, name) => {
  expect(brokenReferences(text, headings)).toEqual([name]);
});
