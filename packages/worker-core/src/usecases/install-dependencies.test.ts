import { beforeEach, describe, expect, it } from '@jest/globals';
import { InstallError } from '../errors/install-error.ts';
import { FakeEnvironments } from '../testing/fake-environments.ts';
import { FakeInstaller } from '../testing/fake-installer.ts';
import { InstallDependencies } from './install-dependencies.ts';
import { NoVolumeCache } from './no-volume-cache.ts';

describe('InstallDependencies', () => {
  let python: FakeInstaller;
  let system: FakeInstaller;
  let order: string[];
  let lines: string[];
  const install = (wanted: object) =>
    new InstallDependencies({ python, system, volumeCache: new NoVolumeCache() }).install(
      { dependencies: ['p'], systemDependencies: ['s'], accelerateDownloads: true, ...wanted },
      { onLine: (line) => lines.push(line) },
    );

  beforeEach(() => {
    [order, lines] = [[], []];
    const record = (name: string) => async () => {
      order.push(`${name} begins`);
      await new Promise((resolve) => setTimeout(resolve, 5));
      order.push(`${name} ends`);
    };
    python = new FakeInstaller();
    python.work = record('python');
    system = new FakeInstaller();
    system.work = record('system');
  });

  it('installs both kinds side by side', async () => {
    await install({});
    expect(order.slice(0, 2)).toEqual(['system begins', 'python begins']);
    expect(python.calls[0]?.accelerate).toBe(true);
  });

  it('installs system packages first when downloads are not to be accelerated', async () => {
    await install({ accelerateDownloads: false });
    expect(order).toEqual(['system begins', 'system ends', 'python begins', 'python ends']);
    expect([system.calls[0]?.accelerate, python.calls[0]?.accelerate]).toEqual([false, false]);
  });

  it('installs the whole set when something of it is missing, and nothing at all when all is there', async () => {
    python.installed.add('p');
    system.installed.add('s');
    expect(await install({})).toEqual([]);
    expect(await install({ dependencies: ['p', 'q'] })).toHaveLength(1);
    expect(python.calls).toEqual([{ packages: ['p', 'q'], accelerate: true }]);
    expect(system.calls).toEqual([]);
  });

  it('promises what was there to the request that asked for it, and nothing of a request that failed', async () => {
    python.installed.add('p=1');
    system.installed.add('s=1');
    await install({ dependencies: ['p=1'], systemDependencies: ['s=1'] });
    await expect(install({ dependencies: ['p=2', 'q'], systemDependencies: [] })).rejects.toMatchObject({
      failure: 'CONFLICT',
    });
    await expect(install({ dependencies: [], systemDependencies: ['s=2'] })).rejects.toMatchObject({
      failure: 'CONFLICT',
    });
    expect([[...python.promised], [...system.promised]]).toEqual([['p=1'], ['s=1']]);
  });

  it('refuses a bad specifier before anything is started', async () => {
    await expect(install({ dependencies: ['-r file'] })).rejects.toMatchObject({
      failure: 'INVALID_SPECIFIER',
    });
    expect(order).toEqual([]);
  });

  it('installs a compiler when one is missing, and tries once again', async () => {
    const failures = ['COMPILER_MISSING' as const];
    python.work = async (packages) => {
      const failure = failures.shift();
      if (failure) throw new InstallError(failure, packages, 'gcc: not found');
    };
    await install({ systemDependencies: [] });
    expect(system.calls).toEqual([{ packages: ['build-essential'], accelerate: true }]);
    expect(python.calls).toHaveLength(2);
    expect(lines).toContainEqual(expect.stringContaining('build-essential'));
  });

  it('tries once only', async () => {
    python.work = async (packages) => {
      throw new InstallError('COMPILER_MISSING', packages, 'gcc: not found');
    };
    await expect(install({ systemDependencies: [] })).rejects.toMatchObject({ failure: 'COMPILER_MISSING' });
    expect(python.calls).toHaveLength(2);
  });

  it('tries a Python build again that was too early for a system package', async () => {
    const failures = ['FAILED' as const];
    python.work = async (packages) => {
      const failure = failures.shift();
      if (failure) throw new InstallError(failure, packages, 'no header');
    };
    await expect(install({})).resolves.toHaveLength(1);
  });

  it('lets the other installation end before it reports a failure', async () => {
    system.unknown.add('s');
    await expect(install({})).rejects.toMatchObject({ failure: 'NOT_FOUND', packages: ['s'] });
    expect(order).toContain('python ends');
  });

  describe('with environments', () => {
    let environments: FakeEnvironments;
    const prepare = (wanted: object) =>
      new InstallDependencies({ python, system, environments, volumeCache: new NoVolumeCache() }).prepare(
        { dependencies: ['p'], systemDependencies: ['s'], accelerateDownloads: true, ...wanted },
        { onLine: (line) => lines.push(line) },
      );
    beforeEach(() => {
      environments = new FakeEnvironments();
    });

    it('gives a request one of its own, and leaves the base as it is', async () => {
      const { lease, changes } = await prepare({});
      expect([lease?.environment?.id, changes, python.calls.length, system.calls.length]).toEqual([
        'p',
        [],
        0,
        1,
      ]);
    });

    it('gives a request without Python packages none', async () => {
      expect((await prepare({ dependencies: [] })).lease).toBeUndefined();
      expect(system.calls).toHaveLength(1);
    });

    it('installs a compiler when one is missing, and tries again', async () => {
      const acquire = environments.acquire.bind(environments);
      let attempts = 0;
      environments.acquire = async (requirements, options) => {
        if (++attempts === 1) throw new InstallError('COMPILER_MISSING', requirements, 'no gcc');
        return acquire(requirements, options);
      };
      expect((await prepare({ systemDependencies: [] })).lease?.environment?.id).toBe('p');
      expect(system.calls.map(({ packages }) => packages)).toEqual([['build-essential']]);
    });
  });
});
