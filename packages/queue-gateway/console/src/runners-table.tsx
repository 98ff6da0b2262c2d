import type { JSX } from 'preact';
import type { Overview } from '../../src/console/overview.ts';
import { nameOf } from './jobs-table.tsx';
import { megabytes } from './quantities.ts';

/** The Python processes of the worker in the gateway's process. */
export function RunnersTable({ overview }: { overview: Overview }): JSX.Element {
  const { runners, jobs } = overview;
  const labels = new Map(jobs.map((job) => [job.id, nameOf(job)]));
  if (runners === undefined)
    return (
      <p>
        The workers here are other processes; each tells of its runners by its metrics (FLASH_METRICS_PORT).
      </p>
    );
  return (
    <table>
      <caption>Runners: Python processes that run user code</caption>
      <thead>
        <tr>
          <th scope="col">Runner</th>
          <th scope="col">Process</th>
          <th scope="col">State</th>
          <th scope="col">Memory</th>
          <th scope="col">Environment</th>
          <th scope="col">Works on</th>
          <th scope="col">Instances</th>
        </tr>
      </thead>
      <tbody>
        {runners.map(({ id, pid, state, memoryBytes, environment, requestIds, instanceIds }) => (
          <tr key={id}>
            <th scope="row">{id}</th>
            <td>{pid}</td>
            <td>
              <span class={`badge ${state}`}>{state}</span>
            </td>
            <td>{memoryBytes === undefined ? '' : megabytes(memoryBytes)}</td>
            <td title={environment}>{environment?.slice(0, 12) ?? 'base'}</td>
            <td>{requestIds.map((requestId) => labels.get(requestId) ?? requestId).join(', ')}</td>
            <td>{instanceIds.join(', ')}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
