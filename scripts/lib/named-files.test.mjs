import { expect, it } from '@jest/globals';
import { missingFiles } from './named-files.mjs';

const files = ['packages/a/src/run/run.ts', 'packages/a/python/state.py', 'scripts/lint.mjs'];

it('finds files by their name, the end of their path and their whole path', () => {
  expect(missingFiles('`run.ts`, `run/run.ts`, `scripts/lint.mjs`, `a/python/state.py`', files)).toEqual([]);
});

it.each(['rerun.ts', 'un.ts', 'pool/run.ts', 'state.mjs'])('tells that %s is not there', (name) => {
  expect(missingFiles(`in \`${name}\` there`, files)).toEqual([name]);
});

it('leaves examples alone, what has no backticks, and what is no source file', () => {
  expect(missingFiles('`x.test.ts`, none.ts, `flash_manifest.json`, `run()`', files)).toEqual([]);
});
