import type { JSX } from 'preact';
import type { JobStep, JobSummary } from '../../src/console/overview.ts';
import { duration } from './quantities.ts';

const [width, rowHeight, labelWidth, timeWidth] = [640, 24, 90, 80];

/** A job's time as a picture: waiting in the queue, then its steps at the worker. */
export function JobTimeline({ job, now }: { job: JobSummary; now: number }): JSX.Element {
  const end = job.endedAt ?? now;
  const rows = rowsOf(job, end);
  const total = Math.max(1, end - job.createdAt);
  const scale = (width - labelWidth - timeWidth) / total;
  const said = rows.map(({ name, startedAt, endedAt = end }) => `${name} ${duration(endedAt - startedAt)}`);
  return (
    <figure>
      <svg
        class="timeline"
        viewBox={`0 0 ${width} ${rows.length * rowHeight}`}
        role="img"
        aria-label={`Timeline: ${said.join(', ')}`}
      >
        {rows.map(({ name, startedAt, endedAt = end }, row) => {
          const x = labelWidth + (startedAt - job.createdAt) * scale;
          const y = row * rowHeight;
          const length = Math.max(2, (endedAt - startedAt) * scale);
          return (
            <g key={`${name} ${startedAt}`}>
              <text x={labelWidth - 8} y={y + 16} text-anchor="end">
                {name}
              </text>
              <rect x={x} y={y + 5} width={length} height={rowHeight - 10} rx={3} class={`step ${name}`} />
              <text x={Math.min(x + length + 6, width - timeWidth + 6)} y={y + 16}>
                {duration(endedAt - startedAt)}
              </text>
            </g>
          );
        })}
      </svg>
      <figcaption>
        {duration(total)} {job.endedAt === undefined ? 'so far' : 'in all'}
        {job.deliveries > 1 ? `, handed to a worker ${job.deliveries} times` : ''}
      </figcaption>
    </figure>
  );
}

/** The steps of a job. When its worker is another process, only the time at work is known. */
function rowsOf({ createdAt, startedAt, steps }: JobSummary, end: number): readonly JobStep[] {
  const queued = { name: 'queued', startedAt: createdAt, endedAt: startedAt ?? end };
  if (startedAt === undefined) return [queued];
  const atWork = steps.filter(({ name }) => name !== 'take');
  return [queued, ...(atWork.length > 0 ? atWork : [{ name: 'at work', startedAt, endedAt: end }])];
}
