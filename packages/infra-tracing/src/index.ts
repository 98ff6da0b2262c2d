/** `@flash/infra-tracing`: traces of a worker, exported by OpenTelemetry. */
export { tracingModule } from './module.ts';
export { OtlpTracer, type OtlpTracerOptions } from './otlp-tracer.ts';
export type { SenderPython } from './sender-process.ts';
export { type TracingSettings, tracingSettingsSchema } from './settings.ts';
