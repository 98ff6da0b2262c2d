import {
  choice,
  positiveInteger,
  defineSettings,
  httpUrl,
  share,
  type SettingsOf,
  text,
} from '@flash/settings';

const samplers = ['parentbased_traceidratio', 'parentbased_always_on', 'traceidratio', 'always_on'] as const;

/** Settings of traces by the environment variable that sets each: those of OpenTelemetry, and one of our own. */
export const tracingSettingsSchema = defineSettings({
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl(
    undefined,
    'Where traces go, without /v1/traces; absent: nothing is traced',
  ),
  OTEL_EXPORTER_OTLP_PROTOCOL: choice(
    ['http/protobuf', 'http/json'],
    'http/protobuf',
    'Form of what goes there',
  ),
  OTEL_EXPORTER_OTLP_HEADERS: text(
    undefined,
    'What it is sent with: name=value, by commas; a secret of the worker, which user code does not get',
  ),
  OTEL_EXPORTER_OTLP_TIMEOUT: positiveInteger(
    10_000,
    'Milliseconds that one attempt to send traces may take',
  ),
  OTEL_SERVICE_NAME: text('flash-worker', 'What traces call the worker'),
  OTEL_TRACES_SAMPLER: choice(samplers, 'parentbased_always_on', 'Which requests are traced'),
  OTEL_TRACES_SAMPLER_ARG: share(1, 'For the samplers by ratio: the part of requests that is traced, 0 to 1'),
  OTEL_BSP_MAX_QUEUE_SIZE: positiveInteger(2048, 'Spans that wait to be sent; more are dropped'),
  OTEL_BSP_SCHEDULE_DELAY: positiveInteger(5000, 'Milliseconds between two exports'),
  FLASH_TRACES_FLUSH_MS: positiveInteger(
    3000,
    'Time that the last spans have when the worker ends, in milliseconds',
  ),
});

export type TracingSettings = SettingsOf<typeof tracingSettingsSchema>;
