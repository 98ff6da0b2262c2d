import { describe, expect, it } from '@jest/globals';
import { normalizeRequirements } from './package-set.ts';

describe('normalizeRequirements', () => {
  it('has one form for all the ways to write a requirement', () => {
    const ways = ['Foo_Bar[a, b] >= 1.0 ; python_version > "3"', 'foo-bar[a,b]>=1.0;python_version>"3"'];
    expect(new Set(ways.map((way) => normalizeRequirements([way]).join()))).toHaveProperty('size', 1);
    expect(normalizeRequirements(['b', 'a', 'A'])).toEqual(['a', 'b']);
    expect(normalizeRequirements(["a[Y,x] <2, >=1; os_name=='posix'"])).toEqual([
      'a[x,y]<2,>=1 ; os_name == "posix"',
    ]);
    expect(normalizeRequirements(['A @ https://x/y.whl ; os_name == "nt" and extra in "a, b"'])).toEqual([
      'a @ https://x/y.whl ; (os_name == "nt" and extra in "a, b")',
    ]);
    expect(normalizeRequirements(['a>=1'])).not.toEqual(normalizeRequirements(['a>=2']));
  });
});
