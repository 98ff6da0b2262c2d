import { BodyError, readBody } from '@flash/http-body';
import type { HttpBindings } from '@hono/node-server';
import { InvalidRequestError, isDeeperThan, type Log } from '@flash/worker-core';
import { type Context, Hono } from 'hono';
import * as z from 'zod';
import type { Faults } from './faults.ts';
import type { JobStore, Lease } from './job-store.ts';
import { jobText } from './job-text.ts';
import type { WorkerRegistry } from './worker-registry.ts';

export interface WorkerApiOptions {
  readonly store: JobStore;
  readonly workers: WorkerRegistry;
  readonly log: Log;
  /** How long a take or stop call is held open when there is nothing. */
  readonly pollMs: number;
  /** A job goes to another worker when nothing was heard of its worker for so long. */
  readonly leaseMs: number;
  /** A larger result is refused with 400, as the platform does. */
  readonly maxResultBytes: number;
  /** Time a worker has to send one. */
  readonly bodyTimeoutMs: number;
  /** `Authorization` workers must send; any when left out. */
  readonly workerKey?: string | undefined;
  readonly faults?: Faults | undefined;
  /** Aborts when the gateway closes: calls that wait for something are answered then. */
  readonly closing: AbortSignal;
}

type WorkerContext = Context<{ Bindings: HttpBindings }>;

/** Most levels of nesting: V8 runs out of stack when it prints some 4400. */
const deepestResult = 4000;
const encoder = new TextEncoder();
const resultSchema = z.looseObject({
  output: z.unknown().optional(),
  error: z.unknown().optional(),
  status: z.string().optional(),
});

/** The platform's queue protocol as workers speak it (docs/reference/protocol.md, Queue protocol). */
export function workerApi(options: WorkerApiOptions): Hono<{ Bindings: HttpBindings }> {
  const { store, workers, faults, workerKey } = options;
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.use(async (context, next) => {
    if (workerKey !== undefined && context.req.header('authorization') !== workerKey)
      return context.json({ error: 'the worker’s key is not the gateway’s' }, 401);
    return next();
  });
  if (faults !== undefined) app.use(faults.middleware());

  app.get('/v2/:endpoint/job-take/:worker', async (context) => {
    const [lease] = await take(context, options, 1);
    return lease === undefined ? context.body(null, 204) : json(context, jobText(lease.record));
  });
  app.get('/v2/:endpoint/job-take-batch/:worker', async (context) => {
    const wanted = Number(context.req.query('batch_size') ?? 1);
    if (!Number.isInteger(wanted) || wanted < 1)
      return context.json({ error: 'batch_size must be a whole number' }, 400);
    const leases = await take(context, options, wanted);
    if (leases.length === 0) return context.body(null, 204);
    return json(context, `[${leases.map(({ record }) => jobText(record)).join(',')}]`);
  });
  app.get('/v2/:endpoint/job-stop/:worker', async (context) => {
    const signal = pollSignal(context, options);
    const jobsToStop = await store.stops(param(context, 'worker'), signal);
    return jobsToStop.length === 0 ? context.body(null, 204) : context.json({ jobsToStop });
  });
  app.post('/v2/:endpoint/job-done/:worker/:id', async (context) => {
    const { output, error, status } = await readResult(context, options);
    const id = param(context, 'id');
    const outputJson = output === undefined ? undefined : encoder.encode(JSON.stringify(output));
    if (status === 'IN_PROGRESS') store.progress(id, outputJson ?? encoder.encode('null'));
    // The platform takes an error that is no text for no error at all.
    else
      await store.finish(id, {
        outputJson,
        error: typeof error === 'string' && error !== '' ? error : undefined,
      });
    return context.json({});
  });
  app.post('/v2/:endpoint/job-stream/:worker/:id', async (context) => {
    const { output } = await readResult(context, options);
    const number = context.req.header('x-chunk-number');
    const chunk = encoder.encode(JSON.stringify(output ?? null));
    const isTaken = store.appendChunk(
      param(context, 'id'),
      chunk,
      number === undefined ? undefined : Number(number),
    );
    if (isTaken) return context.json({});
    return context.json({ error: 'the client has to fetch earlier chunks first' }, 429);
  });
  app.get('/v2/:endpoint/ping/:worker', (context) => {
    const worker = param(context, 'worker');
    workers.note(param(context, 'endpoint'), worker);
    store.renew(
      worker,
      (context.req.query('job_id') ?? '').split(',').filter((id) => id !== ''),
    );
    if (context.req.query('status') === 'unhealthy') {
      const why = { check: context.req.query('check'), reason: context.req.query('reason') };
      workers.note(param(context, 'endpoint'), worker, `${why.check}: ${why.reason}`);
      options.log.write('warn', 'a worker is not healthy', { workerId: worker, ...why });
    }
    return context.json({});
  });
  app.onError((error, context) => {
    // The platform has one status for everything that it refuses.
    if (error instanceof BodyError) {
      const status = error.status === 413 ? 400 : error.status;
      return context.json({ error: error.message, code: error.code }, status, { connection: 'close' });
    }
    if (error instanceof InvalidRequestError)
      return context.json({ error: error.message, code: error.code }, 400);
    options.log.write('error', 'the gateway failed', { error });
    return context.json({ error: 'the gateway failed', code: 'INTERNAL' }, 500);
  });
  return app;
}

async function take(
  context: WorkerContext,
  options: WorkerApiOptions,
  wanted: number,
): Promise<readonly Lease[]> {
  const { store, leaseMs, faults } = options;
  options.workers.note(param(context, 'endpoint'), param(context, 'worker'));
  const signal = pollSignal(context, options);
  const request = {
    workerId: param(context, 'worker'),
    endpoint: param(context, 'endpoint'),
    wanted,
    leaseMs,
    signal,
  };
  try {
    const leases = await store.take(request);
    if (faults?.duplicates()) for (const { record } of leases) store.deliverAgain(record.id);
    return leases;
  } catch (error) {
    if (signal.aborted) return [];
    throw error;
  }
}

/** Aborts when a call that waits has waited long enough. */
function pollSignal(context: WorkerContext, { pollMs, closing }: WorkerApiOptions): AbortSignal {
  return AbortSignal.any([context.req.raw.signal, closing, AbortSignal.timeout(pollMs)]);
}

async function readResult(
  context: WorkerContext,
  { maxResultBytes, bodyTimeoutMs }: WorkerApiOptions,
): Promise<z.output<typeof resultSchema>> {
  const bytes = await readBody(context.env.incoming, {
    maxBytes: maxResultBytes,
    maxBytesSetting: 'FLASH_GATEWAY_MAX_RESULT_BYTES',
    timeoutMs: bodyTimeoutMs,
  });
  if (isDeeperThan(bytes, deepestResult))
    throw new InvalidRequestError(`the result is nested more than ${deepestResult} levels deep`, {
      malformed: true,
    });
  let body: unknown;
  try {
    body = JSON.parse(bytes.toString());
  } catch (cause) {
    throw new InvalidRequestError(`the body is not JSON: ${(cause as Error).message}`, {
      cause,
      malformed: true,
    });
  }
  const result = resultSchema.safeParse(body);
  if (!result.success) throw new InvalidRequestError('the body is no JSON object', { malformed: true });
  return result.data;
}

function json(context: WorkerContext, text: string): Response {
  return context.body(text, 200, { 'content-type': 'application/json' });
}

function param(context: WorkerContext, name: string): string {
  return context.req.param(name) ?? '';
}
