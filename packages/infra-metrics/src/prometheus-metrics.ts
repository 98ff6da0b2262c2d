import {
  type CounterName,
  type Exposition,
  type GaugeName,
  type HistogramName,
  type LabelValues,
  type MetricName,
  type Metrics,
  metricCatalogue,
} from '@flash/worker-core';
import type { Metric } from 'prom-client';
import { bounds, Distribution } from './distribution.ts';

/** What is known of one metric for one set of label values. */
interface Series {
  readonly name: MetricName;
  readonly labels: LabelValues;
  count: number;
  /** Of a histogram. */
  readonly times: Distribution | undefined;
  read: (() => number) | undefined;
}

/** A line of the text format, as prom-client takes it. */
interface Sample {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/**
 * Metrics for Prometheus. What a request pays for is an addition: prom-client, which would have every one look its labels up, is asked when
 * the metrics are read, and is not loaded before.
 *
 * Bounded by the catalogue: label values are words of this program, none comes from outside.
 */
export class PrometheusMetrics implements Metrics {
  /** By name, then by label values. Looked up by texts that are there: one that is put together costs more than all the rest. */
  readonly #series = new Map<MetricName, Map<string, Series>>();

  count(name: CounterName, labels: LabelValues = none, by = 1): void {
    this.#find(name, labels).count += by;
  }

  observe(name: HistogramName, seconds: number, labels: LabelValues = none): void {
    this.#find(name, labels).times?.add(seconds);
  }

  gauge(name: GaugeName, read: () => number, labels: LabelValues = none): void {
    this.#find(name, labels).read = read;
  }

  async expose(): Promise<Exposition> {
    const { Registry } = await import('prom-client');
    const registry = new Registry();
    for (const [key, { kind, help }] of Object.entries(metricCatalogue)) {
      const name = key as MetricName;
      const values = [...(this.#series.get(name)?.values() ?? [])].flatMap(samples);
      const got = { name, help, type: kind, values, aggregator: 'sum' };
      // The registry uses a metric's name and its current values only.
      registry.registerMetric({ name, get: async () => got } as unknown as Metric);
    }
    return { text: await registry.metrics(), contentType: registry.contentType };
  }

  #find(name: MetricName, labels: LabelValues): Series {
    let family = this.#series.get(name);
    if (family === undefined) {
      family = new Map();
      this.#series.set(name, family);
    }
    const key = labels.length > 1 ? labels.join('|') : (labels[0] ?? '');
    let series = family.get(key);
    if (series === undefined) {
      const times = metricCatalogue[name].kind === 'histogram' ? new Distribution() : undefined;
      series = { name, labels, count: 0, times, read: undefined };
      family.set(key, series);
    }
    return series;
  }
}

const none: LabelValues = [];

function samples({ name, labels: given, count, times, read }: Series): Sample[] {
  const { kind, labels: names } = metricCatalogue[name];
  const labels = Object.fromEntries(names.map((label, index) => [label, given[index] ?? '']));
  if (kind === 'counter') return [{ labels, value: count }];
  if (kind === 'gauge' || times === undefined) return [{ labels, value: read?.() ?? 0 }];
  const buckets = times.cumulative.map((value, index) => ({ le: bounds[index] as number, value }));
  return [
    ...[...buckets, { le: '+Inf', value: times.count }].map(({ le, value }) => ({
      metricName: `${name}_bucket`,
      labels: { ...labels, le },
      value,
    })),
    { metricName: `${name}_sum`, labels, value: times.sum },
    { metricName: `${name}_count`, labels, value: times.count },
  ];
}
