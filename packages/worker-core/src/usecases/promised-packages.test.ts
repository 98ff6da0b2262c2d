import { expect, it } from '@jest/globals';
import { RecordingLog } from '../testing/recording-log.ts';
import { PromisedPackages } from './promised-packages.ts';

it('forgets what was asked for longest ago, and says so', () => {
  const log = new RecordingLog();
  const promised = new PromisedPackages(3, log);
  promised.add(['a==1', 'b']);
  promised.add(['c']);
  promised.add(['a==1']);
  expect([promised.all(), log.events]).toEqual([['a==1', 'b', 'c'], []]);
  promised.add(['d', 'e']);
  expect(promised.all()).toEqual(['a==1', 'd', 'e']);
  expect(log.events.map(({ fields }) => fields)).toEqual([
    { package: 'b', bound: 3 },
    { package: 'c', bound: 3 },
  ]);
  promised.forget('d');
  expect(promised.all()).toEqual(['a==1', 'e']);
});
