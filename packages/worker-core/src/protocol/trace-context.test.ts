import { describe, expect, it } from '@jest/globals';
import { readTraceContext, traceContextOfJob } from './trace-context.ts';

const [trace, span] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];
const traceparent = `00-${trace}-${span}-01`;

describe('a trace context', () => {
  it.each([
    ['version ff', `ff-${trace}-${span}-01`],
    ['no trace', `00-${'0'.repeat(32)}-${span}-01`],
    ['no span', `00-${trace}-${'0'.repeat(16)}-01`],
    ['capital letters', traceparent.toUpperCase()],
    ['too short', traceparent.slice(0, -1)],
    ['something behind it', `${traceparent}x`],
    ['too long', `${traceparent}-${'a'.repeat(300)}`],
    ['a number', 7],
    ['a list', [traceparent]],
  ])('is ignored when it is none: %s', (_, given) => {
    expect(readTraceContext({ traceparent: given })).toBeUndefined();
  });

  it.each([undefined, null, 'text', {}])('is none in %p', (carrier) => {
    expect(readTraceContext(carrier)).toBeUndefined();
  });

  it('is read with its state; a later version may say more', () => {
    expect(readTraceContext({ traceparent, tracestate: 'a=1', more: 1 })).toEqual({
      traceparent,
      tracestate: 'a=1',
    });
    expect(readTraceContext({ traceparent, tracestate: 'a'.repeat(513) })).toEqual({ traceparent });
    const later = `cc-${trace}-${span}-01-what-comes`;
    expect(readTraceContext({ traceparent: later })).toEqual({ traceparent: later });
  });

  it('of a job is that of its input, else its own', () => {
    const other = traceparent.replace('00f0', '11f0');
    const metadata = { traceparent };
    expect(traceContextOfJob({ input: { metadata: { traceparent: other } }, metadata })).toEqual({
      traceparent: other,
    });
    expect(traceContextOfJob({ input: 'text', metadata })).toEqual({ traceparent });
    expect(traceContextOfJob({ input: null })).toBeUndefined();
  });
});
