import { BodyError, readBody } from '@flash/http-body';
import { InvalidRequestError, joinBytes, readTraceContext } from '@flash/worker-core';
import type { HttpBindings } from '@hono/node-server';
import { type Context as AnyContext, Hono } from 'hono';
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
  /** Time a client has to send a body. */
  readonly bodyTimeoutMs: number;
  /** How long `runsync` waits for its job before it answers with the job's state. */
  readonly runsyncWaitMs: number;
}

type Context = AnyContext<{ Bindings: HttpBindings }>;

const encoder = new TextEncoder();
/** The endpoint of clients that name the one they mean in a header. */
const byName = 'flash';

/** The platform's data-plane API as clients use it (docs/reference/protocol.md, Client API). */
export function clientApi(options: ClientApiOptions): Hono<{ Bindings: HttpBindings }> {
  const { store, workers, maxBodyBytes, bodyTimeoutMs, defaultEndpoint } = options;
  const app = new Hono<{ Bindings: HttpBindings }>();
  const endpointOf = (context: Context): string => {
    const endpoint = context.req.param('endpoint') ?? defaultEndpoint;
    // Clients that leave it to the platform to find an endpoint name it in a header (docs/reference/protocol.md, Routing).
    return endpoint === byName ? (context.req.header('x-flash-endpoint') ?? endpoint) : endpoint;
  };
  const submit = async (context: Context, kind: 'run' | 'runsync'): Promise<JobRecord> => {
    const bytes = await readBody(context.env.incoming, { maxBytes: maxBodyBytes, timeoutMs: bodyTimeoutMs });
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
    if (error instanceof BodyError)
      return context.json({ error: error.message, code: error.code }, error.status, { connection: 'close' });
    if (error instanceof QueueFullError) return context.json({ error: error.message, code: error.code }, 429);
    return context.json({ error: 'the gateway failed', code: 'INTERNAL' }, 500);
  });
  app.notFound((context) =>
    context.json({ error: `there is no ${context.req.method} ${context.req.path}` }, 404),
  );
  app.use(sameSiteOnly);

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
  const chunks = record.stream.splice(0);
  record.streamBytes = 0;
  // Each is put in as the text it is.
  const pieces = chunks.flatMap((chunk, index) => [
    encoder.encode(index === 0 ? '{"output":' : ',{"output":'),
    chunk,
    encoder.encode('}'),
  ]);
  const head = encoder.encode(`{"status":${JSON.stringify(record.status)},"stream":[`);
  const body = joinBytes([head, ...pieces, encoder.encode(']}')]) as Uint8Array<ArrayBuffer>;
  return context.body(body, 200, { 'content-type': 'application/json' });
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
