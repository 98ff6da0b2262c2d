import { describe, expect, it } from '@jest/globals';
import { plannedPackages } from './planned-packages.ts';

describe('plannedPackages', () => {
  it('reads what uv would do', () => {
    const output = `Resolved 4 packages in 1ms
Would install 3 packages
 + hello-pkg @ git+file:///x/pk@2c44
 - numpy==2.0.0
 + numpy==2.4.6
 + mine==1.0 (from file:///x/mine)`;
    expect(plannedPackages(output)).toEqual([
      'hello-pkg @ git+file:///x/pk@2c44',
      'numpy==2.4.6',
      'mine @ file:///x/mine',
    ]);
    expect(plannedPackages('Resolved 1 package in 0ms\nWould make no changes')).toEqual([]);
  });

  it('says when it is no plan it knows', () => {
    expect(plannedPackages('uv will add numpy')).toBeUndefined();
    const hidden = 'Would install 1 package\n + mine==1.0 (from https://user:****@x.org/mine-1.0.whl)';
    expect(plannedPackages(hidden)).toBeUndefined();
    expect(plannedPackages('Would install 2 packages\n + numpy==2.4.6')).toBeUndefined();
  });
});
