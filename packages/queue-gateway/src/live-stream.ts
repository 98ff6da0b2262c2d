import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { JobRecord } from './job-record.ts';
import { isFinal } from './job-status.ts';
import type { JobStore } from './job-store.ts';
import { jobJson } from './job-view.ts';

const lookMs = 100;
const decoder = new TextDecoder();

/**
 * A job as server-sent events: `log` for what it prints, `chunk` for each chunk of its output, and one `end` with the job as its status has it.
 *
 * Nothing is taken of the job that the client has not read: a worker whose chunks no client takes is held up, as it is without this.
 */
export function liveStream(context: Context, record: JobRecord, store: JobStore): Response {
  return streamSSE(context, async (stream) => {
    const { signal } = context.req.raw;
    for (let shown = 0; !stream.aborted; ) {
      const ended = isFinal(record.status);
      const pieces = record.log.slice(shown);
      shown += pieces.length;
      if (pieces.length > 0)
        await stream.writeSSE({ event: 'log', data: JSON.stringify({ text: pieces.join('') }) });
      for (let chunk = record.stream.shift(); chunk !== undefined; chunk = record.stream.shift()) {
        record.streamBytes -= chunk.length;
        await stream.writeSSE({ event: 'chunk', data: decoder.decode(chunk) });
      }
      if (ended) return stream.writeSSE({ event: 'end', data: decoder.decode(jobJson(record)) });
      await store.waitForEnd(record, lookMs, signal);
    }
  });
}
