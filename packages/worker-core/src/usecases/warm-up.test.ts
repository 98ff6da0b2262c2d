import { describe, expect, it } from '@jest/globals';
import { FakeEnvironments } from '../testing/fake-environments.ts';
import { FakeExecutor } from '../testing/fake-executor.ts';
import { FakeVolumeCache } from '../testing/fake-volume-cache.ts';
import { WarmUp } from './warm-up.ts';

describe('WarmUp', () => {
  it('brings the cache and the environments used last, and has the executor import ahead in each', async () => {
    const executor = new FakeExecutor({});
    const volumeCache = new FakeVolumeCache();
    volumeCache.volume.files.set('hub/model', 'weights');
    volumeCache.volume.files.set('uv/wheel', 'package');
    const environments = new FakeEnvironments(8, new Set(['numpy', 'torch']));
    await new WarmUp(executor, volumeCache, environments).run();
    expect(executor.warmed.toSorted()).toEqual(['numpy', 'torch', undefined]);
    expect(executor.starts).toBe(2);
    // What only an installation needs stays where it is.
    expect([...volumeCache.local.keys()]).toEqual(['hub/model']);
  });

  it('does without environments, and never rejects', async () => {
    const executor = new FakeExecutor({});
    executor.warm = () => Promise.reject(new Error('no Python'));
    const volumeCache = new FakeVolumeCache();
    volumeCache.volume.failure = new Error('it is lost');
    await new WarmUp(executor, volumeCache, undefined).run();
    const environments = new FakeEnvironments();
    environments.prewarm = () => Promise.reject(new Error('no disk'));
    await new WarmUp(executor, volumeCache, environments).run();
  });
});
