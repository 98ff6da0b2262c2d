import type { JobRecord } from './job-record.ts';

/** A job as a worker gets it: what the client sent, with the job's id. */
export function jobText({ id, bytes, options: { trace } }: JobRecord): string {
  const text = Buffer.from(bytes).toString();
  const start = text.indexOf('{') + 1;
  // The client's own text stays as it is; a later "id" of the client would win, so this one comes last.
  const end = text.lastIndexOf('}');
  const members = text.slice(start, end).trim();
  // This one comes first, so that a client's own `metadata` wins.
  const metadata = trace === undefined ? '' : `"metadata":${JSON.stringify(trace)},`;
  return `{${metadata}${members}${members === '' ? '' : ','}"id":${JSON.stringify(id)}}`;
}
