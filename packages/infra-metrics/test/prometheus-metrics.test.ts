import { afterEach, describe, expect, it } from '@jest/globals';
import { noMetrics } from '@flash/worker-core';
import { MetricsServer, PrometheusMetrics } from '../src/index.ts';

/** Value of a sample; `undefined` when there is none. */
function sample(text: string, name: string): number | undefined {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.split(' ')[1]);
}

describe('metrics for Prometheus', () => {
  it('count by label values', async () => {
    const metrics = new PrometheusMetrics();
    metrics.count('flash_requests_total', ['returned']);
    metrics.count('flash_jobs_taken_total');
    const early = await metrics.expose();
    expect(early.contentType).toContain('text/plain; version=');
    expect(sample(early.text, 'flash_requests_total{outcome="returned"}')).toBe(1);
    metrics.count('flash_requests_total', ['returned']);
    metrics.count('flash_requests_total', ['failed']);
    const { text } = await metrics.expose();
    expect(sample(text, 'flash_requests_total{outcome="returned"}')).toBe(2);
    expect(sample(text, 'flash_requests_total{outcome="failed"}')).toBe(1);
    expect(sample(text, 'flash_jobs_taken_total')).toBe(1);
    metrics.count('flash_sent_bytes_total', ['http'], 1500);
    metrics.count('flash_sent_bytes_total', ['http'], 0);
    expect(sample((await metrics.expose()).text, 'flash_sent_bytes_total{door="http"}')).toBe(1500);
  });

  it('have times in buckets from a millisecond to half an hour', async () => {
    const metrics = new PrometheusMetrics();
    for (const seconds of [0.001, 0.2, 100]) metrics.observe('flash_run_duration_seconds', seconds);
    const { text } = await metrics.expose();
    expect(sample(text, 'flash_run_duration_seconds_bucket{le="0.001"}')).toBe(1);
    expect(sample(text, 'flash_run_duration_seconds_bucket{le="0.25"}')).toBe(2);
    expect(sample(text, 'flash_run_duration_seconds_bucket{le="1800"}')).toBe(3);
    expect(sample(text, 'flash_run_duration_seconds_bucket{le="+Inf"}')).toBe(3);
    expect(sample(text, 'flash_run_duration_seconds_count')).toBe(3);
    expect(sample(text, 'flash_run_duration_seconds_sum')).toBeCloseTo(100.201);
  });

  it('ask for gauges when they are read', async () => {
    const metrics = new PrometheusMetrics();
    let idle = 1;
    metrics.gauge('flash_runners', () => idle, ['idle']);
    expect(sample((await metrics.expose()).text, 'flash_runners{state="idle"}')).toBe(1);
    idle = 3;
    expect(sample((await metrics.expose()).text, 'flash_runners{state="idle"}')).toBe(3);
  });
});

describe('the port for metrics', () => {
  const metrics = new PrometheusMetrics();
  const server = new MetricsServer(metrics);
  afterEach(() => server.close());

  it('serves GET /metrics and nothing else', async () => {
    const url = `http://127.0.0.1:${await server.listen('127.0.0.1', 0)}`;
    metrics.count('flash_jobs_taken_total');
    const answer = await fetch(`${url}/metrics`);
    expect(answer.status).toBe(200);
    expect(sample(await answer.text(), 'flash_jobs_taken_total')).toBe(1);
    expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(405);
    expect((await fetch(`${url}/other`)).status).toBe(404);
  });

  it('answers 500 with the reason when there are none to be had', async () => {
    const failing = new MetricsServer({
      ...noMetrics,
      expose: () => Promise.reject(new Error('no metrics today')),
    });
    const answer = await fetch(`http://127.0.0.1:${await failing.listen('127.0.0.1', 0)}/metrics`);
    failing.close();
    expect(answer.status).toBe(500);
    expect(await answer.text()).toContain('no metrics today');
  });

  it('says which port can not be had', async () => {
    const port = await server.listen('127.0.0.1', 0);
    const other = new MetricsServer(metrics);
    await expect(other.listen('127.0.0.1', port)).rejects.toThrow(
      `EADDRINUSE: address already in use 127.0.0.1:${port}`,
    );
  });
});
