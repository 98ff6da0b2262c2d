/** One thing that is measured. */
export interface MetricDefinition {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** Names of its labels, in the order in which their values are given. */
  readonly labels: readonly string[];
}

/**
 * Everything a worker measures, by its name in Prometheus: base units, `_total` for what only grows. What an operator finds here an adapter
 * exports, and nothing else.
 */
export const metricCatalogue = {
  flash_requests_total: counter(
    'FunctionRequests that were answered or refused; outcome: returned, failed, refused',
    ['outcome'],
  ),
  flash_requests_in_progress: gauge('FunctionRequests at work'),
  flash_request_duration_seconds: histogram('Time from a FunctionRequest to its answer'),
  flash_refusals_total: counter('HTTP requests that were answered with an error; code: that of the answer', [
    'code',
  ]),
  flash_received_bytes_total: counter('Bytes of requests and jobs; door: http, queue', ['door']),
  flash_sent_bytes_total: counter('Bytes of answers and outputs; door: http, queue', ['door']),
  flash_prepare_duration_seconds: histogram(
    'Time that requests with packages waited for them; outcome: ready, failed',
    ['outcome'],
  ),
  flash_hydrate_duration_seconds: histogram(
    'Time of bringing in the volume’s cache for a request with packages',
  ),
  flash_install_duration_seconds: histogram(
    'Time of seeing to a request’s packages, whether they were there or not',
  ),
  flash_sync_duration_seconds: histogram('Time of keeping what was installed in the volume’s cache'),
  flash_run_duration_seconds: histogram('Time of user code, with the wait for a process'),
  flash_jobs_taken_total: counter('Jobs taken from the queue'),
  flash_jobs_total: counter('Jobs that ended; outcome: completed, failed, worker_fault, stopped', [
    'outcome',
  ]),
  flash_jobs_in_progress: gauge('Jobs at work'),
  flash_job_wait_seconds: histogram('Time that jobs which were taken waited for room'),
  flash_job_duration_seconds: histogram('Time from the begin of a job to handing its result over'),
  flash_take_errors_total: counter(
    'Questions for jobs that failed; status: that of the answer, network when there was none, or none to be read',
    ['status'],
  ),
  flash_heartbeat_age_seconds: gauge(
    'Time since the platform took the last heartbeat, or since the first was due',
  ),
  flash_outbox_results: gauge('Results that the platform has not acknowledged'),
  flash_outbox_oldest_seconds: gauge('Age of the oldest of them; 0 when there is none'),
  flash_start_seconds: gauge(
    'Time from the start of the process; phase: code (loaded), python (the first process is ready), app (in place), ready',
    ['phase'],
  ),
  flash_runners: gauge('Python processes; state: starting, idle, busy', ['state']),
  flash_runner_retired_total: counter(
    'Python processes that were replaced after a request; kind: what was left behind or changed (state, threads, children, descriptors, memory, patches), or requests (FLASH_RUNNER_MAX_REQUESTS)',
    ['kind'],
  ),
  flash_runner_ends_total: counter('Python processes that ended; cause: unneeded, killed, crashed', [
    'cause',
  ]),
  flash_environments: gauge(
    'Python environments; state: kept (on the local disk), open (with processes, the base interpreter’s not counted)',
    ['state'],
  ),
  flash_output_cut_bytes_total: counter('Output of user code that was left out of answers'),
  flash_instances: gauge('Class instances that live between requests'),
  flash_waiting_runs: gauge('Runs that wait for a process'),
} as const satisfies Readonly<Record<string, MetricDefinition>>;

type Catalogue = typeof metricCatalogue;
type Named<K extends MetricDefinition['kind']> = {
  [N in keyof Catalogue]: Catalogue[N]['kind'] extends K ? N : never;
}[keyof Catalogue];

export type MetricName = keyof Catalogue;
export type CounterName = Named<'counter'>;
export type GaugeName = Named<'gauge'>;
export type HistogramName = Named<'histogram'>;

/** The values of a metric's labels, in the catalogue's order. */
export type LabelValues = readonly string[];

/** What is measured, for operators. Never throws, and costs a request next to nothing. */
export interface Metrics {
  /** Something happened once more; or `by` more of it is there, such as bytes. */
  count(name: CounterName, labels?: LabelValues, by?: number): void;
  /** Something took so many seconds. */
  observe(name: HistogramName, seconds: number, labels?: LabelValues): void;
  /** `read` says how much there is now; it is asked when the metrics are read. A later one with the same labels takes its place. */
  gauge(name: GaugeName, read: () => number, labels?: LabelValues): void;
  /** All there is, in Prometheus' text format. */
  expose(): Promise<Exposition>;
}

/** What `GET /metrics` is answered with. */
export interface Exposition {
  readonly text: string;
  readonly contentType: string;
}

/** Metrics of a worker that measures nothing. */
export const noMetrics: Metrics = {
  count: () => {},
  observe: () => {},
  gauge: () => {},
  expose: () => Promise.resolve({ text: '', contentType: 'text/plain; charset=utf-8' }),
};

function counter<const L extends readonly string[] = []>(help: string, labels?: L) {
  return { kind: 'counter', help, labels: labels ?? [] } as const;
}

function gauge<const L extends readonly string[] = []>(help: string, labels?: L) {
  return { kind: 'gauge', help, labels: labels ?? [] } as const;
}

function histogram<const L extends readonly string[] = []>(help: string, labels?: L) {
  return { kind: 'histogram', help, labels: labels ?? [] } as const;
}
