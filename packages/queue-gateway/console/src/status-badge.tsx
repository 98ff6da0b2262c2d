import type { JSX } from 'preact';
import type { JobStatus } from '../../src/job-status.ts';

const words: Readonly<Record<JobStatus, string>> = {
  IN_QUEUE: 'queued',
  IN_PROGRESS: 'running',
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  TIMED_OUT: 'timed out',
};

export function StatusBadge({ status }: { status: JobStatus }): JSX.Element {
  return <span class={`badge ${status.toLowerCase()}`}>{words[status]}</span>;
}
