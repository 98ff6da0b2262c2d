import { ports } from '@flash/worker-core';
import { ContainerModule } from 'inversify';
import { PrometheusMetrics } from './prometheus-metrics.ts';

/** Binds the Metrics port to Prometheus' format. */
export function metricsModule(): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(ports.Metrics).toConstantValue(new PrometheusMetrics());
  });
}
