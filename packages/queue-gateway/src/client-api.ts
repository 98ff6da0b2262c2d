import { InvalidRequestError, readTraceContext } from '@flash/worker-core';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { JobRecord } from './job-record.ts';
import { isFinal } from './job-status.ts';
import type { JobStore } from './job-store.ts';
import { jobJson } from './job-view.ts';
import { liveStream } from './live-stream.ts';
import { QueueFullError } from './queue-full-error.ts';
import { sameSiteOnly } from './same-site.ts';
import { readSubmission } from './submission.ts';
import type { WorkerRegistry } from './worker-registry.ts';

export interface ClientApiOptions {
  readonly store: JobStore;
  readonly workers: WorkerRegistry;
  /** Endpoint behind the short paths (`/run`) of the platform SDK's own local server. */
  readonly defaultEndpoint: string;
  readonly maxBodyBytes: number;
  /** How long `runsync` waits for its job before it answers with the job's state. */
  readonly runsyncWaitMs: number;
}

const decoder = new TextDecoder();
/** The endpoint of clients that name the one they mean in a header. */
const byName = 'flash';

/** The platform's data-plane API as clients use it (docs/reference/protocol.md, Client API). */
export function clientApi(options: ClientApiOptions): Hono {
  const { store, workers, maxBodyBytes, defaultEndpoint } = options;
  const app = new Hono();
  const endpointOf = (context: Context): string => {
    const endpoint = context.req.param('endpoint') ?? defaultEndpoint;
    // Clients that leave it to the platform to find an endpoint name it in a header (docs/reference/protocol.md, Routing).
    return endpoint === byName ? (context.req.header('x-flash-endpoint') ?? endpoint) : endpoint;
  };
  const submit = async (context: Context, kind: 'run' | 'runsync'): Promise<JobRecord> => {
    const bytes = new Uint8Array(await context.req.arrayBuffer());
    const trace = readTraceContext(context.req.header());
    return store.submit(endpointOf(context), bytes, { ...readSubmission(bytes), trace }, kind);
  };
  const view = (context: Context, record: JobRecord): Response =>
    context.body(jobJson(record) as Uint8Array<ArrayBuffer>, 200, {
      'content-type': 'application/json',
    });
  const withJob = (serve: (context: Context, record: JobRecord) => Promise<Response> | Response) => {
    return async (context: Context): Promise<Response> => {
      const id = context.req.param('id') ?? '';
      const record = await store.find(endpointOf(context), id);
      return record === undefined
        ? context.json({ error: `there is no job ${id}: it never was, or its history is over` }, 404)
        : serve(context, record);
    };
  };

  app.onError((error, context) => {
    if (error instanceof InvalidRequestError)
      return context.json({ error: error.message, code: error.code }, 400);
    if (error instanceof QueueFullError) return context.json({ error: error.message, code: error.code }, 429);
    return context.json({ error: 'the gateway failed', code: 'INTERNAL' }, 500);
  });
  app.notFound((context) =>
    context.json({ error: `there is no ${context.req.method} ${context.req.path}` }, 404),
  );
  app.use(sameSiteOnly);
  app.use(
    bodyLimit({
      maxSize: maxBodyBytes,
      onError: (context) =>
        context.json({ error: `the body is larger than ${maxBodyBytes} bytes`, code: 'BODY_TOO_LARGE' }, 413),
    }),
  );

  for (const base of ['/v2/:endpoint', '']) {
    app.post(`${base}/run`, async (context) => {
      const { id } = await submit(context, 'run');
      return context.json({ id, status: 'IN_QUEUE' });
    });
    app.post(`${base}/runsync`, async (context) => {
      const record = await submit(context, 'runsync');
      await store.waitForEnd(record, options.runsyncWaitMs, context.req.raw.signal);
      return view(context, record);
    });
    app.on(['GET', 'POST'], `${base}/status/:id`, withJob(view));
    app.on(
      ['GET', 'POST'],
      `${base}/stream/:id`,
      withJob((context, record) =>
        context.req.header('accept')?.includes('text/event-stream')
          ? liveStream(context, record, store)
          : streamChunks(context, record),
      ),
    );
    app.get(`${base}/log/:id`, withJob(logSince));
    app.post(
      `${base}/cancel/:id`,
      withJob(async (context, record) => {
        await store.cancel(record);
        return view(context, record);
      }),
    );
    app.post(`${base}/purge-queue`, async (context) =>
      context.json({ removed: await store.purge(endpointOf(context)), status: 'completed' }),
    );
    app.get(`${base}/health`, async (context) => {
      const jobs = await store.count(endpointOf(context));
      return context.json({ jobs, workers: workers.count(endpointOf(context), jobs.inProgress) });
    });
  }
  return app;
}

/** Each chunk is given out once. */
function streamChunks(context: Context, record: JobRecord): Response {
  const chunks = record.stream
    .splice(0)
    .map((chunk) => ({ output: JSON.parse(decoder.decode(chunk)) as unknown }));
  record.streamBytes = 0;
  return context.json({ status: record.status, stream: chunks });
}

/** What the job has printed after the first `after` pieces; an addition of ours to the platform's API. */
function logSince(context: Context, record: JobRecord): Response {
  const after = Number(context.req.query('after') ?? 0);
  const next = record.log.length;
  return context.json({
    status: record.status,
    isFinal: isFinal(record.status),
    next,
    text: record.log.slice(Number.isInteger(after) && after >= 0 ? after : 0).join(''),
  });
}
