import { expect, it } from '@jest/globals';
import { sourcesOfCompiled } from './compiled-sources.ts';

it('sourcesOfCompiled finds the sources that Python compares times with', () => {
  const paths = [
    'lib/a/__pycache__/b.cpython-311.pyc',
    'lib/a/__pycache__/c.cpython-311.opt-1.pyc',
    '__pycache__/top.pypy39.pyc',
    'lib/a/b.py',
    'lib/other.py',
    'x/__pycache__/notes.txt',
  ];
  expect([...sourcesOfCompiled(paths)].sort()).toEqual(['lib/a/b.py', 'lib/a/c.py', 'top.py']);
});
