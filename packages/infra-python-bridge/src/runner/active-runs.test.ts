import { expect, it } from '@jest/globals';
import { ActiveRuns } from './active-runs.ts';

it('ActiveRuns keeps runs in their order', () => {
  const runs = new ActiveRuns<{ id: number }>();
  expect([runs.size, runs.first, runs.has(1)]).toEqual([0, undefined, false]);
  for (const id of [1, 2, 3]) runs.add({ id });
  runs.remove({ id: 2 });
  runs.remove({ id: 9 });
  expect(runs.values().map(({ id }) => id)).toEqual([1, 3]);
  expect(runs.get(3)).toEqual({ id: 3 });
  runs.remove({ id: 1 });
  expect([runs.first, runs.size]).toEqual([{ id: 3 }, 1]);
  runs.clear();
  expect(runs.size).toBe(0);
});
