import { noSpan, type Span, type Tracer } from '@flash/worker-core';
import { describe, expect, it } from '@jest/globals';
import type { JobStep } from './overview.ts';
import { TimelineTracer } from './timeline-tracer.ts';

/** Tracer that notes what it is asked for. */
function recording(): { readonly tracer: Tracer; readonly heard: string[] } {
  const heard: string[] = [];
  const span = (name: string): Span => ({
    context: { traceparent: name },
    child: (child) => {
      heard.push(`${name} > ${child}`);
      return span(child);
    },
    set: (attributes) => heard.push(`${name} ${JSON.stringify(attributes)}`),
    fail: (reason) => heard.push(`${name} failed: ${reason}`),
    end: () => heard.push(`${name} ended`),
  });
  const tracer: Tracer = {
    start: async () => void heard.push('start'),
    loading: Promise.resolve(),
    begin: (name, options) => (options?.attributes === undefined ? noSpan : span(name)),
    close: async () => void heard.push('close'),
  };
  return { tracer, heard };
}

describe('TimelineTracer', () => {
  it('notes the steps of jobs, and hands all on', async () => {
    const steps: [string, JobStep][] = [];
    const { tracer, heard } = recording();
    const timeline = new TimelineTracer(tracer, (jobId, step) => steps.push([jobId, step]));
    await timeline.start();
    expect(timeline.loading).toBe(tracer.loading);
    const job = timeline.begin('job', { attributes: { 'flash.job_id': 'one' } });
    expect(job.context).toEqual({ traceparent: 'job' });
    job.set({ a: 1 });
    job.child('take', { startedAt: 5 }).end(7);
    const before = Date.now();
    const run = job.child('run');
    expect(steps[1]?.[1].name).toBe('run');
    expect(steps[1]?.[1].startedAt).toBeGreaterThanOrEqual(before);
    expect(steps[1]?.[1].startedAt).toBeLessThanOrEqual(Date.now());
    expect(steps[1]?.[1].endedAt).toBeUndefined();
    run.child('serialise').fail('why');
    run.end();
    job.end();
    await timeline.close();
    expect(steps[0]).toEqual(['one', { name: 'take', startedAt: 5, endedAt: 7 }]);
    expect(steps.map(([id, { name }]) => [id, name])).toEqual([
      ['one', 'take'],
      ['one', 'run'],
      ['one', 'serialise'],
    ]);
    expect(steps[1]?.[1].endedAt).toBeGreaterThanOrEqual(steps[1]?.[1].startedAt ?? Infinity);
    expect(heard).toEqual([
      ...['start', 'job {"a":1}', 'job > take', 'take ended', 'job > run', 'run > serialise'],
      ...['serialise failed: why', 'run ended', 'job ended', 'close'],
    ]);
  });

  it('lets what is no job pass', () => {
    const timeline = new TimelineTracer(recording().tracer, () => {
      throw new Error('nothing is to be noted');
    });
    expect(timeline.begin('POST /execute')).toBe(noSpan);
  });
});
