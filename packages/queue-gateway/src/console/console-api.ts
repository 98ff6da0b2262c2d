import { type RunnerReport, workerVersion } from '@flash/worker-core';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import { secureHeaders } from 'hono/secure-headers';
import type { JobRecord } from '../job-record.ts';
import type { JobStore } from '../job-store.ts';
import { pageDirectory } from '../page-directory.ts';
import type { WorkerRegistry } from '../worker-registry.ts';
import type { JobStatistics } from './job-statistics.ts';
import type { JobSummary, Overview } from './overview.ts';

const mostJobs = 100;
const runnersEveryMs = 1000;

export interface ConsoleApiOptions {
  readonly store: JobStore;
  readonly workers: WorkerRegistry;
  readonly statistics: JobStatistics;
  /** Of the worker in this process. */
  readonly runners?: (() => Promise<readonly RunnerReport[]>) | undefined;
}

/** The console: its page, and what the page asks for. What it does with jobs it does by the client API. */
export function consoleApi({ store, workers, statistics, runners }: ConsoleApiOptions): Hono {
  const app = new Hono();
  const currentRunners = seldom(runners);
  app.get('/console/overview', async (context) => {
    const { records, total } = await store.recent(mostJobs);
    const overview: Overview = {
      now: Date.now(),
      version: workerVersion,
      jobs: records.map(summaryOf),
      olderJobs: total - records.length,
      workers: workers.list((workerId) => jobsOf(workerId, records)),
      runners: await currentRunners(),
    };
    return context.json(overview);
  });
  app.get('/console/statistics', (context) => context.json(statistics.read(Date.now())));
  const page = serveStatic({
    root: pageDirectory,
    rewriteRequestPath: (path) => path.replace(/^\/console/, '') || '/',
    // A gateway of another version may be at this address tomorrow.
    onFound: (_path, context) => context.header('cache-control', 'no-cache'),
  });
  const headers = secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'self'"],
      imgSrc: ["'self'", 'data:'],
      frameAncestors: ["'none'"],
    },
    strictTransportSecurity: false,
  });
  for (const path of ['/', '/console/*']) app.get(path, headers, page);
  return app;
}

/** To ask how much memory a process has holds that process up, the more the larger it is: pages that are open ask together. */
function seldom(ask: ConsoleApiOptions['runners']): () => Promise<readonly RunnerReport[] | undefined> {
  let asked: Promise<readonly RunnerReport[]> | undefined;
  let askedAt = 0;
  return async () => {
    if (asked === undefined || Date.now() - askedAt >= runnersEveryMs) {
      asked = ask?.();
      askedAt = Date.now();
    }
    return asked;
  };
}

function jobsOf(workerId: string, records: readonly JobRecord[]): number {
  return records.filter((record) => record.workerId === workerId && record.status === 'IN_PROGRESS').length;
}

function summaryOf(record: JobRecord): JobSummary {
  const { id, endpoint, status, createdAt, startedAt, endedAt, workerId, deliveries, steps } = record;
  const { label = '' } = record.options;
  return { id, endpoint, label, status, createdAt, startedAt, endedAt, workerId, deliveries, steps };
}
