import { describe, expect, it } from '@jest/globals';
import { JobStatistics } from './job-statistics.ts';

const now = 1_800_000_000_000;
const job = (endedAt: number, tookMs: number, isCompleted = true) => ({
  createdAt: endedAt - tookMs,
  endedAt,
  isCompleted,
});

describe('JobStatistics', () => {
  it('counts jobs and their times by when they ended, an hour without gaps', () => {
    const statistics = new JobStatistics();
    for (const tookMs of [10, 20, 30]) statistics.note(job(now - 60_000, tookMs));
    statistics.note(job(now - 60_000, 1000, false));
    statistics.note(job(now, 0));
    const { points, stretchMs } = statistics.read(now);
    expect(points.length * stretchMs).toBe(3_600_000);
    expect(points.at(-1)).toMatchObject({ completed: 1, failed: 0, medianMs: 1 });
    expect(points.at(-4)).toMatchObject({ at: now - 60_000, completed: 3, failed: 1, medianMs: 20 });
    expect(points.at(-4)?.p95Ms).toBeGreaterThanOrEqual(990);
    expect(points.at(-2)).toEqual({ at: now - 20_000, completed: 0, failed: 0 });
  });

  it('forgets what is older than an hour, whether anybody looks or not', () => {
    const statistics = new JobStatistics();
    for (let minute = 0; minute < 180; minute++) statistics.note(job(now + minute * 60_000, 5));
    const { points } = statistics.read(now + 179 * 60_000);
    expect(points.reduce((sum, { completed }) => sum + completed, 0)).toBe(60);
    expect(statistics.read(now + 300 * 60_000).points.every(({ completed }) => completed === 0)).toBe(true);
  });

  it('takes a clock that is set back, and a time that can’t be', () => {
    const statistics = new JobStatistics();
    statistics.note(job(now, 5));
    statistics.note(job(now - 7_200_000, -5));
    statistics.note(job(now, 1e12));
    expect(statistics.read(now).points.at(-1)?.completed).toBe(3);
  });
});
