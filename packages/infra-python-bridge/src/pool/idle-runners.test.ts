import { expect, it } from '@jest/globals';
import type { Runner } from '../runner/runner.ts';
import { IdleRunners } from './idle-runners.ts';

const runner = (...instances: string[]) => ({ instances: new Set(instances) }) as unknown as Runner;

it('the most recently used one that keeps no instance is taken first', () => {
  const [older, newer, keeper] = [runner(), runner(), runner('counter')];
  const idle = new IdleRunners();
  for (const each of [older, newer, keeper]) idle.add(each);
  expect(idle.take(() => true)).toBe(newer);
  expect(idle.take(() => true)).toBe(older);
});

it('one that keeps an instance is taken only when that is allowed', () => {
  const keeper = runner('counter');
  const idle = new IdleRunners();
  idle.add(keeper);
  expect(idle.take(() => false)).toBeUndefined();
  expect(idle.size).toBe(1);
  expect(idle.take(() => true)).toBe(keeper);
  expect(idle.take(() => true)).toBeUndefined();
});

it('one that is there already is not there twice, and one that is not can be removed', () => {
  const [one, other] = [runner(), runner()];
  const idle = new IdleRunners();
  idle.add(one);
  idle.add(one);
  idle.remove(other);
  expect(idle.size).toBe(1);
  idle.remove(one);
  expect(idle.size).toBe(0);
});

it('those to spare keep no instance, the least recently used first', () => {
  const [older, keeper, newer] = [runner(), runner('counter'), runner()];
  const idle = new IdleRunners();
  for (const each of [older, keeper, newer]) idle.add(each);
  expect(idle.spare()).toEqual([older, newer]);
  expect(idle.takeLast()).toBe(newer);
});
