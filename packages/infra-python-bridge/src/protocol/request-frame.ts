import { type Call, encodedFields, type TraceContext } from '@flash/worker-core';
import type { Run } from '../run/run.ts';

/** A body up to here goes to Python as it came: taking it apart would cost more than it saves. */
const smallBodyBytes = 64 * 1024;
/** Encoded arguments from this length on travel decoded. */
const largeArgumentChars = 16 * 1024;

/** What is sent to a runner for one call. */
export interface RequestBody {
  readonly pieces: readonly Uint8Array[];
  /** Additions to the frame's header, as JSON members with a leading comma. */
  readonly header: string;
}

/**
 * The request as its runner takes it. A small one is its own bytes, untouched. In a large one the long base64 arguments are
 * decoded here, at a tenth of what Python needs for it, and follow the rest of the request as raw bytes; in their place stands
 * their number. Nothing is unpickled.
 */
export function requestBody({ payload, serializationFormat }: Call): RequestBody {
  const wrapped = payload.requestAt === 'input' ? ',"wrapped":true' : '';
  if (payload.bytes.length <= smallBodyBytes || serializationFormat !== 'cloudpickle') {
    return { pieces: [payload.bytes], header: wrapped };
  }
  const blobs: Buffer[] = [];
  const withoutBlobs = JSON.stringify(payload.request, (key, value: unknown) => takeOut(key, value, blobs));
  const lengths = JSON.stringify(blobs.map((blob) => blob.length));
  return { pieces: [Buffer.from(withoutBlobs), ...blobs], header: `,"blobs":${lengths}` };
}

const encoded: ReadonlySet<string> = new Set(encodedFields);

/** Takes the long arguments out of one of the request's argument fields. An argument that has the name of such a field is text, and stays. */
function takeOut(key: string, value: unknown, blobs: Buffer[]): unknown {
  if (!encoded.has(key) || typeof value !== 'object' || value === null) return value;
  const replace = (element: unknown): unknown => {
    if (typeof element !== 'string' || element.length < largeArgumentChars) return element;
    return blobs.push(Buffer.from(element, 'base64')) - 1;
  };
  if (Array.isArray(value)) return value.map(replace);
  return Object.fromEntries(Object.entries(value).map(([name, element]) => [name, replace(element)]));
}

/** What the header of a request frame is made of. */
export interface RequestHeaderFields {
  readonly id: number;
  readonly run: Run;
  /** Number of the packages' epoch. */
  readonly epoch: number;
  /** Modules that were replaced since the runner last looked; `undefined` when it has seen this epoch. */
  readonly replaced: readonly string[] | undefined;
  /** Whether only this runner can run it. */
  readonly isPinned: boolean;
  /** Chunks of a stream that may be under way. */
  readonly streamWindow: number;
  /** How long the runner looks for the next request, in microseconds. */
  readonly spinUs: number;
}

/** Members of a request frame's header, as JSON without the braces. Written by hand: it is on the way of every request. */
export function requestHeader(parts: RequestHeaderFields): string {
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
function code({ run: { call }, streamWindow }: RequestHeaderFields): string {
  if (call.kind === 'handler') return `,"handler":${JSON.stringify(call.file)},"window":${streamWindow}`;
  return call.deployed === undefined ? '' : `,"deployed":${JSON.stringify(call.deployed)}`;
}

function traceMembers(context: TraceContext): string {
  if (context.isUnrecordedRoot) return ',"unrecorded":true';
  const { traceparent, tracestate } = context;
  const state = tracestate === undefined ? '' : `,"tracestate":${JSON.stringify(tracestate)}`;
  // A traceparent was checked to be letters, digits and dashes: it needs no escaping.
  return `,"traceparent":"${traceparent}"${state}`;
}
