import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Charts } from './charts.tsx';
import { gateway } from './gateway-client.ts';
import { JobDetail } from './job-detail.tsx';
import { JobsTable } from './jobs-table.tsx';
import { SubmitForm } from './submit-form.tsx';
import { ThemeChoice, useTheme } from './theme-choice.tsx';
import { usePolled } from './use-polled.ts';
import { Workers } from './workers.tsx';

const [overviewMs, statisticsMs] = [500, 2000];

/** The console's one page. */
export function App(): JSX.Element {
  const overview = usePolled(gateway.overview, overviewMs);
  const statistics = usePolled(gateway.statistics, statisticsMs);
  const [selected, setSelected] = useState<string>();
  const [theme, chooseTheme, colours] = useTheme();
  const job = overview.value?.jobs.find(({ id }) => id === selected);
  return (
    <>
      <header>
        <h1>Flash worker</h1>
        <span>{overview.value?.version}</span>
        <span role="status">
          {overview.error === undefined ? '' : `The gateway does not answer: ${overview.error}`}
        </span>
        <ThemeChoice theme={theme} onChoose={chooseTheme} />
      </header>
      <main>
        <div class="column">
          <SubmitForm onSubmitted={({ id }) => setSelected(id)} />
        </div>
        <div class="column">
          {job === undefined || overview.value === undefined ? (
            ''
          ) : (
            <JobDetail job={job} now={overview.value.now} hasLog={overview.value.runners !== undefined} />
          )}
          {overview.value === undefined ? (
            ''
          ) : (
            <JobsTable overview={overview.value} selected={selected} onSelect={({ id }) => setSelected(id)} />
          )}
          {statistics.value === undefined ? '' : <Charts statistics={statistics.value} theme={colours} />}
          {overview.value === undefined ? '' : <Workers overview={overview.value} />}
        </div>
      </main>
    </>
  );
}
