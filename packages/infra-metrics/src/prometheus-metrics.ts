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
import type { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** From a warm function to an installation, in seconds. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];
/** What happens before prom-client is there is noted; with so many notes it is loaded. */
const loadAtNotes = 1000;
/** Ten thousand requests a second for some seconds: more can't come before it is there. What would is not counted. */
const mostNotes = 100_000;

/**
 * Metrics for Prometheus. prom-client is loaded when somebody looks, or when much has happened; until then what happens is noted, and counted
 * with the rest: no start waits for it.
 *
 * Each set of label values is looked up once: to count is an addition.
 */
export class PrometheusMetrics implements Metrics {
  readonly #adders = new Map<string, (value: number) => void>();
  readonly #gauges = new Map<string, { name: GaugeName; labels: LabelValues; read: () => number }>();
  #notes: (() => void)[] = [];
  #loading: Promise<Collectors> | undefined;
  #collectors: Collectors | undefined;

  count(name: CounterName, labels: LabelValues = none): void {
    this.#add(name, 1, labels);
  }

  observe(name: HistogramName, seconds: number, labels: LabelValues = none): void {
    this.#add(name, seconds, labels);
  }

  gauge(name: GaugeName, read: () => number, labels: LabelValues = none): void {
    this.#gauges.set(keyOf(name, labels), { name, labels, read });
  }

  async expose(): Promise<Exposition> {
    const { registry, gauges } = await this.#load();
    for (const { name, labels, read } of this.#gauges.values())
      gauges
        .get(name)
        ?.labels(...labels)
        .set(read());
    return { text: await registry.metrics(), contentType: registry.contentType };
  }

  #add(name: CounterName | HistogramName, value: number, labels: LabelValues): void {
    const key = keyOf(name, labels);
    const add = this.#adders.get(key);
    if (add !== undefined) return add(value);
    if (this.#collectors === undefined) return this.#note(() => this.#add(name, value, labels));
    const made = this.#collectors.adder(name, labels);
    this.#adders.set(key, made);
    made(value);
  }

  #note(note: () => void): void {
    if (this.#notes.length < mostNotes) this.#notes.push(note);
    // Whoever looks is told why it can't be loaded.
    if (this.#notes.length === loadAtNotes) this.#load().catch(() => {});
  }

  #load(): Promise<Collectors> {
    this.#loading ??= import('prom-client').then((prom) => {
      this.#collectors = new Collectors(prom);
      const notes = this.#notes;
      this.#notes = [];
      for (const note of notes) note();
      return this.#collectors;
    });
    return this.#loading;
  }
}

const none: LabelValues = [];

function keyOf(name: MetricName, labels: LabelValues): string {
  return labels.length === 0 ? name : `${name}|${labels.join('|')}`;
}

/** prom-client's side of the catalogue. */
class Collectors {
  readonly registry: Registry;
  readonly gauges = new Map<MetricName, Gauge>();
  readonly #counters = new Map<MetricName, Counter>();
  readonly #histograms = new Map<MetricName, Histogram>();

  constructor(prom: typeof import('prom-client')) {
    this.registry = new prom.Registry();
    for (const [key, { kind, help, labels }] of Object.entries(metricCatalogue)) {
      const name = key as MetricName;
      const options = { name, help, labelNames: [...labels], registers: [this.registry] };
      if (kind === 'counter') this.#counters.set(name, new prom.Counter(options));
      else if (kind === 'gauge') this.gauges.set(name, new prom.Gauge(options));
      else this.#histograms.set(name, new prom.Histogram({ ...options, buckets }));
    }
  }

  /** What adds to the counter, or takes into the histogram. */
  adder(name: CounterName | HistogramName, labels: LabelValues): (value: number) => void {
    const counter = this.#counters.get(name)?.labels(...labels);
    if (counter !== undefined) return (value) => counter.inc(value);
    const histogram = this.#histograms.get(name)?.labels(...labels);
    if (histogram === undefined) throw new TypeError(`${name} is neither a counter nor a histogram`);
    return (value) => histogram.observe(value);
  }
}
