import type { JSX } from 'preact';
import type { JobSummary } from '../../src/console/overview.ts';
import { isFinal } from '../../src/job-status.ts';
import { CancelButton } from './cancel-button.tsx';
import { JobLog } from './job-log.tsx';
import { JobOutcome } from './job-outcome.tsx';
import { JobTimeline } from './job-timeline.tsx';
import { nameOf } from './jobs-table.tsx';
import { StatusBadge } from './status-badge.tsx';

export interface JobDetailProps {
  readonly job: JobSummary;
  readonly now: number;
  /** Its log is had from its worker. */
  readonly hasLog: boolean;
}

/** One job: its timeline, its log, its outcome. */
export function JobDetail({ job, now, hasLog }: JobDetailProps): JSX.Element {
  return (
    <section class="card" aria-labelledby="job-title">
      <h2 id="job-title">
        {nameOf(job)} <StatusBadge status={job.status} />
      </h2>
      <p class="facts">
        {job.id} {job.workerId === undefined ? '' : `at ${job.workerId} `}
        {isFinal(job.status) ? '' : <CancelButton job={job} name="this job" />}
      </p>
      <JobTimeline job={job} now={now} />
      {hasLog ? (
        <JobLog key={job.id} id={job.id} endpoint={job.endpoint} />
      ) : (
        <p>Its worker is another process, whose log is there: the platform’s protocol has no call for it.</p>
      )}
      {isFinal(job.status) ? <JobOutcome key={job.id} id={job.id} endpoint={job.endpoint} /> : ''}
    </section>
  );
}
