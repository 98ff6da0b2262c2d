import type { JSX } from 'preact';
import type { Overview } from '../../src/console/overview.ts';
import { duration } from './quantities.ts';
import { RunnersTable } from './runners-table.tsx';
import { Scrolled } from './scrolled.tsx';

/** Who serves the queue. */
export function Workers({ overview }: { overview: Overview }): JSX.Element {
  const { workers } = overview;
  return (
    <section class="card" aria-labelledby="workers-title">
      <h2 id="workers-title">Workers</h2>
      {workers.length === 0 ? <p>None was heard of: npm run worker starts one.</p> : ''}
      <ul class="workers">
        {workers.map(({ id, endpoint, jobsInProgress, silentMs, unhealthy }) => (
          <li key={id}>
            <strong>{id}</strong> {endpoint === undefined ? 'every endpoint' : `endpoint ${endpoint}`}, jobs:{' '}
            {jobsInProgress}
            {silentMs > 0 ? `, heard of ${duration(silentMs)} ago` : ''}
            {unhealthy === undefined ? '' : <em>, unhealthy: {unhealthy}</em>}
          </li>
        ))}
      </ul>
      <Scrolled label="Table of runners">
        <RunnersTable overview={overview} />
      </Scrolled>
    </section>
  );
}
