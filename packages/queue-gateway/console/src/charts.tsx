import type { JSX } from 'preact';
import type { Statistics } from '../../src/console/overview.ts';
import { Chart } from './chart.tsx';
import { duration } from './quantities.ts';

/** The last hour: how many jobs ended, and how long they took. */
export function Charts({ statistics, theme }: { statistics: Statistics; theme: string }): JSX.Element {
  const { points, stretchMs } = statistics;
  const times = points.map(({ at }) => at / 1000);
  const perMinute = (count: number): number | null => (count === 0 ? null : (count * 60_000) / stretchMs);
  const sum = (of: 'completed' | 'failed'): number => points.reduce((all, point) => all + point[of], 0);
  const slowest = Math.max(0, ...points.map(({ p95Ms }) => p95Ms ?? 0));
  return (
    <section class="card charts" aria-labelledby="charts-title">
      <h2 id="charts-title">Last hour</h2>
      <Chart
        title="Jobs a minute"
        summary={`${sum('completed')} completed, ${sum('failed')} failed`}
        times={times}
        theme={theme}
        unit={(value) => String(value)}
        series={[
          // The taller bars are drawn first.
          {
            name: 'all',
            colour: '--completed',
            isBars: true,
            values: points.map(({ completed, failed }) => perMinute(completed + failed)),
          },
          {
            name: 'failed',
            colour: '--failed',
            isBars: true,
            values: points.map(({ failed }) => perMinute(failed)),
          },
        ]}
      />
      <Chart
        title="From submission to end"
        summary={`95 % of the jobs of no stretch took longer than ${duration(slowest)}`}
        times={times}
        theme={theme}
        unit={duration}
        series={[
          { name: 'median', colour: '--median', values: points.map(({ medianMs }) => medianMs ?? null) },
          { name: '95 %', colour: '--p95', values: points.map(({ p95Ms }) => p95Ms ?? null) },
        ]}
      />
    </section>
  );
}
