import type { Overview, Statistics } from '../../src/console/overview.ts';

/** A job as the client API names it. */
export interface JobName {
  readonly id: string;
  readonly endpoint: string;
}

/** What a job has come to. */
export interface JobResult {
  readonly output?: unknown;
  readonly error?: string;
}

/** The output of a job since the last call. */
export interface LogPart {
  readonly text: string;
  /** To be given with the next question. */
  readonly next: number;
  readonly isFinal: boolean;
}

/** Longest wait for an answer. */
const timeoutMs = 10_000;

/** The gateway that serves this page. Rejects with the reason it gives, or that it can't be reached. */
export const gateway = {
  overview: () => call<Overview>('/console/overview'),
  statistics: () => call<Statistics>('/console/statistics'),
  submit: (endpoint: string, input: unknown) =>
    call<{ id: string }>(`/v2/${encodeURIComponent(endpoint)}/run`, { input }),
  cancel: (job: JobName) => call<unknown>(`${base(job)}/cancel/${job.id}`, {}),
  result: (job: JobName) => call<JobResult>(`${base(job)}/status/${job.id}`),
  log: (job: JobName, after: number) => call<LogPart>(`${base(job)}/log/${job.id}?after=${after}`),
};

const base = ({ endpoint }: JobName): string => `/v2/${encodeURIComponent(endpoint)}`;

async function call<T>(path: string, body?: unknown): Promise<T> {
  const signal = AbortSignal.timeout(timeoutMs);
  const answer = await fetch(
    path,
    body === undefined
      ? { signal }
      : {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
          signal,
        },
  );
  const json = (await answer.json()) as T & { readonly error?: string };
  if (!answer.ok) throw new Error(json.error ?? `the gateway answered ${answer.status}`);
  return json;
}
