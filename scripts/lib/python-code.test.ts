import { expect, it } from '@jest/globals';
import { pythonCode } from './python-code.ts';

it('takes the indentation away and leaves escapes to Python', () => {
  const name = 'f';
  expect(pythonCode`
    def ${name}():
        print("a\n\x41")

        return 1
  `).toBe('def f():\n    print("a\\n\\x41")\n\n    return 1');
});
