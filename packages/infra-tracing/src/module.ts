import { type Log, noTracer, ports, type SpanAttributes } from '@flash/worker-core';
import { ContainerModule } from 'inversify';
import { OtlpTracer } from './otlp-tracer.ts';
import type { SenderPython } from './sender-process.ts';
import type { TracingSettings } from './settings.ts';

/**
 * Binds the Tracer port to OpenTelemetry where the settings say where traces go.
 *
 * @param attributes - who the worker is.
 * @param python - what the process that sends traces runs on; asked for where there is one.
 */
export function tracingModule(
  settings: TracingSettings,
  attributes: SpanAttributes,
  python: () => SenderPython,
): ContainerModule {
  return new ContainerModule(({ bind }) => {
    if (settings.OTEL_EXPORTER_OTLP_ENDPOINT === undefined) {
      bind(ports.Tracer).toConstantValue(noTracer);
      return;
    }
    bind(ports.Tracer).toResolvedValue(
      (log: Log) => new OtlpTracer({ settings, attributes, log, python: python() }),
      [ports.Log],
    );
  });
}
