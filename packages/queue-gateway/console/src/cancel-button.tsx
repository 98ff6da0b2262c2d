import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { gateway, type JobName } from './gateway-client.ts';

/** Ends a job. What went wrong with that is said beside it. */
export function CancelButton({ job, name }: { job: JobName; name: string }): JSX.Element {
  const [problem, setProblem] = useState('');
  const cancel = (): void => {
    setProblem('');
    gateway.cancel(job).catch((error: Error) => setProblem(error.message));
  };
  return (
    <>
      <button type="button" onClick={cancel} aria-label={`Cancel ${name}`}>
        Cancel
      </button>
      <span role="alert">{problem}</span>
    </>
  );
}
