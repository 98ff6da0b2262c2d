import type { TraceContext } from '@flash/worker-core';
import type { Run } from './run.ts';

/** What is said of a run besides the request itself. */
export interface RequestHeaderParts {
  readonly id: number;
  readonly run: Run;
  /** Number of the packages' epoch. */
  readonly epoch: number;
  /** Modules that were replaced since the runner last looked; `undefined` when it has seen this epoch. */
  readonly replaced: readonly string[] | undefined;
  /** The run can only be run by this runner. */
  readonly isPinned: boolean;
  /** Chunks of a stream that may be under way. */
  readonly streamWindow: number;
  /** How long the runner looks for the next request, in microseconds. */
  readonly spinUs: number;
}

/** Members of a request frame's header, as JSON without the braces. Written by hand: it is on the way of every request. */
export function requestHeader(parts: RequestHeaderParts): string {
  const { id, run, epoch, replaced, isPinned, spinUs } = parts;
  const changes =
    replaced === undefined ? '' : `,"pinned":${isPinned},"replaced":${JSON.stringify(replaced)}`;
  const spin = spinUs > 0 ? `,"spin":${spinUs}` : '';
  const { trace: context } = run.options;
  const trace = context === undefined ? '' : traceMembers(context);
  return `"id":${id},"epoch":${epoch}${instance(run)}${code(parts)}${changes}${spin}${trace}`;
}

function instance({ instanceId, createInstance }: Run): string {
  return instanceId === undefined
    ? ''
    : `,"instance":${JSON.stringify(instanceId)},"create":${createInstance}`;
}

/** Where the code comes from, when it does not come along. */
function code({ run: { call }, streamWindow }: RequestHeaderParts): string {
  if (call.kind === 'handler') return `,"handler":${JSON.stringify(call.file)},"window":${streamWindow}`;
  return call.deployed === undefined ? '' : `,"deployed":${JSON.stringify(call.deployed)}`;
}

function traceMembers(context: TraceContext): string {
  if (context.isUnrecordedRoot) return ',"unrecorded":true';
  const { traceparent, tracestate } = context;
  const state = tracestate === undefined ? '' : `,"tracestate":${JSON.stringify(tracestate)}`;
  // Of letters, digits and dashes, whoever has made it.
  return `,"traceparent":"${traceparent}"${state}`;
}
