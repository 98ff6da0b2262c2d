import { afterEach, describe, expect, it } from '@jest/globals';
import { PassingSpan, type Span, type TraceContext } from '@flash/worker-core';
import { RecordingLog } from '@flash/worker-core/testing';
import { OtlpTracer, tracingSettingsSchema } from '../src/index.ts';

const python = { python: process.env.FLASH_PYTHON ?? 'python3', env: {} };
let tracer: OtlpTracer | undefined;
afterEach(() => tracer?.close());

async function tracing(sampler: string, ratio: string): Promise<OtlpTracer> {
  const settings = tracingSettingsSchema.parse({
    // No collector listens there, and none has to.
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    OTEL_TRACES_SAMPLER: sampler,
    OTEL_TRACES_SAMPLER_ARG: ratio,
    FLASH_TRACES_FLUSH_MS: '1',
  });
  tracer = new OtlpTracer({ settings, attributes: {}, log: new RecordingLog(), python });
  await tracer.loading;
  return tracer;
}

const caller = (flags: string): TraceContext => ({
  traceparent: `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-${flags}`,
  tracestate: 'vendor=1',
});
const isRecorded = (span: Span): boolean => !(span instanceof PassingSpan);
const fields = (span: Span): string[] => span.context?.traceparent.split('-') ?? [];

describe('which traces are recorded', () => {
  it('is decided by chance where they begin here, each with ids of its own', async () => {
    const { begin } = await tracing('parentbased_traceidratio', '0.3').then((made) => ({
      begin: () => made.begin('job'),
    }));
    const spans = Array.from({ length: 3000 }, begin);
    const recorded = spans.filter(isRecorded);
    expect(recorded.length / spans.length).toBeCloseTo(0.3, 1);
    for (const span of recorded) expect(fields(span)[3]).toBe('01');
    for (const span of spans.filter((one) => !isRecorded(one)))
      expect(span.context?.traceparent).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-00$/);
    expect(new Set(spans.map((span) => fields(span)[1])).size).toBe(spans.length);
    for (const span of recorded) span.end();
  });

  it.each([
    ['parentbased_traceidratio', '0', '01', true],
    ['parentbased_traceidratio', '1', '00', false],
    ['parentbased_always_on', '1', '00', false],
    ['traceidratio', '0', '01', false],
    ['traceidratio', '1', '00', true],
    ['always_on', '1', '00', true],
  ])('%s of %s, asked by a caller with the flags %s: %s', async (sampler, ratio, flags, expected) => {
    const span = (await tracing(sampler, ratio)).begin('job', { parent: caller(flags) });
    expect(isRecorded(span)).toBe(expected);
    expect(fields(span)[1]).toBe('4bf92f3577b34da6a3ce929d0e0e4736');
    span.end();
  });

  it('is no question before the SDK is there: the caller’s trace passes through', () => {
    const settings = tracingSettingsSchema.parse({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
    const early = new OtlpTracer({ settings, attributes: {}, log: new RecordingLog(), python });
    expect(early.begin('job', { parent: caller('01') }).context).toEqual(caller('01'));
  });
});
