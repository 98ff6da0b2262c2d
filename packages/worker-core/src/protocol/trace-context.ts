import type { TraceContext } from '../ports/tracer.ts';

const form = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(?:-|$)/;
const longestParent = 256;
const longestState = 512;

/**
 * The trace that a carrier names: headers of an HTTP request, or `metadata` of a job. One that is none is ignored, as W3C Trace Context
 * wants it.
 */
export function readTraceContext(carrier: unknown): TraceContext | undefined {
  if (typeof carrier !== 'object' || carrier === null) return undefined;
  const { traceparent, tracestate } = carrier as Readonly<Record<string, unknown>>;
  if (typeof traceparent !== 'string' || traceparent.length > longestParent || !form.test(traceparent))
    return undefined;
  const hasState = typeof tracestate === 'string' && tracestate !== '' && tracestate.length <= longestState;
  return hasState ? { traceparent, tracestate } : { traceparent };
}

/** The trace of a job: in its input's `metadata`, or in its own, where a gateway puts it. */
export function traceContextOfJob(body: Readonly<Record<string, unknown>>): TraceContext | undefined {
  const { input, metadata } = body;
  const inner = typeof input === 'object' && input !== null ? (input as typeof body).metadata : undefined;
  return readTraceContext(inner) ?? readTraceContext(metadata);
}
