import type { JSX } from 'preact';
import type { JobSummary, Overview } from '../../src/console/overview.ts';
import { isFinal } from '../../src/job-status.ts';
import { CancelButton } from './cancel-button.tsx';
import { clockTime, duration } from './quantities.ts';
import { Scrolled } from './scrolled.tsx';
import { StatusBadge } from './status-badge.tsx';

export interface JobsTableProps {
  readonly overview: Overview;
  readonly selected: string | undefined;
  readonly onSelect: (job: JobSummary) => void;
}

/** The newest jobs of all endpoints. */
export function JobsTable({ overview, selected, onSelect }: JobsTableProps): JSX.Element {
  const { jobs, olderJobs, now } = overview;
  return (
    <section class="card" aria-labelledby="jobs-title">
      <h2 id="jobs-title">Jobs</h2>
      <Scrolled label="Table of jobs">
        <table>
          <thead>
            <tr>
              <th scope="col">Job</th>
              <th scope="col">Endpoint</th>
              <th scope="col">State</th>
              <th scope="col">Submitted</th>
              <th scope="col">Queued</th>
              <th scope="col">At work</th>
              <th scope="col">
                <span class="hidden">Action</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {jobs.map((job) => (
              <tr key={job.id} class={job.id === selected ? 'selected' : ''}>
                <th scope="row">
                  <button
                    type="button"
                    class="link"
                    aria-current={job.id === selected}
                    onClick={() => onSelect(job)}
                  >
                    {nameOf(job)}
                  </button>
                </th>
                <td>{job.endpoint}</td>
                <td>
                  <StatusBadge status={job.status} />
                </td>
                <td>{clockTime(job.createdAt)}</td>
                <td>{duration((job.startedAt ?? job.endedAt ?? now) - job.createdAt)}</td>
                <td>{job.startedAt === undefined ? '' : duration((job.endedAt ?? now) - job.startedAt)}</td>
                <td>{isFinal(job.status) ? '' : <CancelButton job={job} name={nameOf(job)} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scrolled>
      {jobs.length === 0 ? <p>There are none yet: run a function.</p> : ''}
      {olderJobs > 0 ? <p>{olderJobs} older ones are remembered and not shown.</p> : ''}
    </section>
  );
}

/** A job for people: what it calls, and enough of its id to tell it from others. */
export function nameOf({ label, id }: Pick<JobSummary, 'label' | 'id'>): string {
  return `${label === '' ? 'job' : label} ${id.replace(/^sync-/, '').slice(0, 8)}`;
}
