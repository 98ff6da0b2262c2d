import { joinBytes } from '../output/join-bytes.ts';
import type { JobOutcome } from '../ports/job-queue.ts';

const encoder = new TextEncoder();

/** The JSON text that reports an outcome (docs/reference/protocol.md, Result). The output is put in as the text it is. */
export function jobResultJson({ outputJson, error, refreshWorker }: JobOutcome): Uint8Array {
  const said = JSON.stringify({
    ...(error === undefined ? {} : { error }),
    ...(refreshWorker ? { stopPod: true } : {}),
  });
  if (outputJson === undefined) return encoder.encode(said);
  const rest = said === '{}' ? '}' : `,${said.slice(1)}`;
  return joinBytes([encoder.encode('{"output":'), outputJson, encoder.encode(rest)]);
}

/** A piece of output by itself: one chunk of a stream, or progress. */
export function jobOutputJson(json: Uint8Array, status?: 'IN_PROGRESS'): Uint8Array {
  const head = status === undefined ? '{"output":' : `{"status":"${status}","output":`;
  return joinBytes([encoder.encode(head), json, encoder.encode('}')]);
}
