/** `@flash/infra-metrics`: what a worker measures, for Prometheus. */
export { answerMetrics, MetricsServer } from './metrics-server.ts';
export { metricsModule } from './module.ts';
export { PrometheusMetrics } from './prometheus-metrics.ts';
export { type MetricsSettings, metricsSettingsSchema } from './settings.ts';
