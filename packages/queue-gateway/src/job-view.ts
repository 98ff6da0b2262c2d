import { joinBytes } from '@flash/worker-core';
import type { JobRecord } from './job-record.ts';

const encoder = new TextEncoder();

/** The JSON a client sees of a job; the output is put in as the text it is (docs/reference/protocol.md, Client API). */
export function jobJson(record: JobRecord): Uint8Array {
  const { id, status, createdAt, startedAt, endedAt, error, workerId } = record;
  const outputJson = record.outputJson ?? record.progressJson;
  const waitedUntil = startedAt ?? endedAt;
  const fields = {
    id,
    status,
    // Clients read all three of a job that has ended, also when it never started.
    ...(waitedUntil === undefined
      ? {}
      : { delayTime: waitedUntil - createdAt, workerId: workerId ?? 'none' }),
    ...(endedAt === undefined ? {} : { executionTime: endedAt - (startedAt ?? endedAt) }),
    ...(error === undefined ? {} : { error }),
  };
  const head = JSON.stringify(fields);
  if (outputJson === undefined) return encoder.encode(head);
  return joinBytes([encoder.encode(`${head.slice(0, -1)},"output":`), outputJson, encoder.encode('}')]);
}
