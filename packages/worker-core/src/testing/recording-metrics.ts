import {
  type CounterName,
  type Exposition,
  type GaugeName,
  type HistogramName,
  type LabelValues,
  type MetricName,
  type Metrics,
  metricCatalogue,
  noMetrics,
} from '../ports/metrics.ts';

/** Metrics that keep what they were told; a label too many or too few is an error. */
export class RecordingMetrics implements Metrics {
  readonly #counts = new Map<string, number>();
  readonly #times = new Map<string, number[]>();
  readonly #gauges = new Map<string, () => number>();

  count(name: CounterName, labels: LabelValues = [], by = 1): void {
    const key = keyOf(name, labels);
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + by);
  }

  observe(name: HistogramName, seconds: number, labels: LabelValues = []): void {
    const key = keyOf(name, labels);
    this.#times.set(key, [...(this.#times.get(key) ?? []), seconds]);
  }

  gauge(name: GaugeName, read: () => number, labels: LabelValues = []): void {
    this.#gauges.set(keyOf(name, labels), read);
  }

  expose(): Promise<Exposition> {
    return noMetrics.expose();
  }

  /** How often, by name and label values: `flash_jobs_total completed`. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  /** Seconds by name and label values. */
  get times(): Readonly<Record<string, readonly number[]>> {
    return Object.fromEntries(this.#times);
  }

  /** What a gauge says now; `undefined` when there is none. */
  now(name: GaugeName, labels: LabelValues = []): number | undefined {
    return this.#gauges.get(keyOf(name, labels))?.();
  }
}

function keyOf(name: MetricName, labels: LabelValues): string {
  const { labels: names } = metricCatalogue[name];
  if (labels.length !== names.length) throw new TypeError(`${name} has the labels ${names.join(', ')}`);
  return [name, ...labels].join(' ');
}
