import { describe, expect, it } from '@jest/globals';
import { UnfitError } from '../errors/unfit-error.ts';
import { RecordingLog } from '../testing/recording-log.ts';
import { CheckFitness } from './check-fitness.ts';

const good = { name: 'good', check: async () => {} };

describe('CheckFitness', () => {
  it('finds nothing wrong when nothing is', async () => {
    expect(await new CheckFitness([good, good], new RecordingLog(), 1000).run()).toBeUndefined();
  });

  it('reports the first failed check by its name, and logs every one', async () => {
    const log = new RecordingLog();
    const bad = { name: 'disk', check: () => Promise.reject(new UnfitError('disk', 'it is full')) };
    const worse = { name: 'gpu', check: () => Promise.reject(new Error('it fell off the bus')) };
    expect(await new CheckFitness([good, bad, worse], log, 1000).run()).toMatchObject({
      check: 'disk',
      message: 'it is full',
    });
    expect(log.events.map(({ fields }) => fields?.check)).toEqual(['disk', 'gpu']);
  });

  it('does not wait for ever', async () => {
    const stuck = { name: 'stuck', check: () => new Promise<void>(() => {}) };
    expect(await new CheckFitness([stuck], new RecordingLog(), 20).run()).toMatchObject({
      check: 'stuck',
      message: expect.stringContaining('20 ms'),
    });
  });
});
