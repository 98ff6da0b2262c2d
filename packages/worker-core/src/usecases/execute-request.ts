import { InstallError } from '../errors/install-error.ts';
import { InvalidRequestError } from '../errors/invalid-request-error.ts';
import { type RequestEvent, RequestLog } from '../output/request-log.ts';
import type { EndpointRouter } from '../ports/endpoint-router.ts';
import type { EnvironmentLease, Environments } from '../ports/environments.ts';
import type { Execution, Executor } from '../ports/executor.ts';
import type { Log } from '../ports/log.ts';
import { type HistogramName, type Metrics, noMetrics } from '../ports/metrics.ts';
import { noSpan, type Span } from '../ports/tracer.ts';
import type { VolumeCache } from '../ports/volume-cache.ts';
import { EncodedResponse } from '../protocol/encoded-response.ts';
import type { FunctionCall } from '../protocol/function-call.ts';
import { withSpan } from './with-span.ts';
import type { InstallDependencies } from './install-dependencies.ts';
import type { PlaceCall } from './place-call.ts';

/** What the front door knows of a request besides its body. */
export interface ExecuteOptions {
  /** Names the request in every log line. */
  readonly requestId: string;
  /** Ends the request wherever it is: waiting, installing or running. */
  readonly signal?: AbortSignal | undefined;
  /** Upper bound for the user's code, in milliseconds; default is the executor's. */
  readonly timeoutMs?: number | undefined;
  /** `Authorization` that the request came with, for a call of another endpoint. User code never sees it. */
  readonly authorization?: string | undefined;
  /** The span that the request's steps belong to. */
  readonly span?: Span | undefined;
  /** Receives system lines and user output while the request is at work. Must not throw. */
  readonly onEvent?: ((event: RequestEvent) => void) | undefined;
  /** Receives what the user's code reports as its progress; JSON text. Must not throw. */
  readonly onProgress?: ((json: Uint8Array) => void) | undefined;
}

export interface ExecuteRequestDependencies {
  readonly executor: Executor;
  readonly installDependencies: InstallDependencies;
  readonly volumeCache: VolumeCache;
  /** Environments that are let go of at the end. */
  readonly environments?: Environments | undefined;
  /** Places calls of deployed code; without it there is no deployed app. */
  readonly placeCall?: PlaceCall | undefined;
  /** Calls other endpoints; without it everything runs here. */
  readonly router?: EndpointRouter | undefined;
  readonly log: Log;
  readonly metrics?: Metrics | undefined;
  /** How much of a request's output is logged live, in bytes. */
  readonly maxLoggedOutputBytes: number;
}

/**
 * The worker's main job: find where the code runs; there or here: hydrate the cache and install side by side, sync the cache in the
 * background, run, answer (docs/reference/protocol.md, Modes).
 */
export class ExecuteRequest {
  readonly #dependencies: ExecuteRequestDependencies;
  readonly #metrics: Metrics;
  #atWork = 0;

  constructor(dependencies: ExecuteRequestDependencies) {
    this.#dependencies = dependencies;
    this.#metrics = dependencies.metrics ?? noMetrics;
    this.#metrics.gauge('flash_requests_in_progress', () => this.#atWork);
  }

  /**
   * Executes one call. Whatever the user's code or its packages do is part of the answer.
   *
   * @throws InvalidRequestError when the request can't be served by any worker, WorkerBusyError, WorkerClosedError or
   * WorkerStartError when this worker can't take it; then nothing of it was run.
   */
  async execute(call: FunctionCall, options: ExecuteOptions): Promise<EncodedResponse> {
    const started = performance.now();
    this.#atWork++;
    let outcome = 'refused';
    try {
      const response = await this.#execute(call, options);
      outcome = response.success ? 'returned' : 'failed';
      return response;
    } finally {
      this.#atWork--;
      this.#metrics.count('flash_requests_total', [outcome]);
      this.#metrics.observe('flash_request_duration_seconds', secondsSince(started));
    }
  }

  async #execute(call: FunctionCall, options: ExecuteOptions): Promise<EncodedResponse> {
    const { log, maxLoggedOutputBytes } = this.#dependencies;
    options.span?.set({ 'flash.function': nameOf(call) });
    const requestLog = new RequestLog(log, options.requestId, maxLoggedOutputBytes, options.onEvent);
    if (call.code !== undefined) return this.#runHere(call, requestLog, options);
    const { placeCall, router } = this.#dependencies;
    if (placeCall === undefined) throw codeMissing(call);
    const warn = (line: string): void => requestLog.system(line, 'warn');
    const place = await placeCall.place(call, warn, options.authorization !== undefined);
    if (place.kind === 'here') return this.#runHere({ ...call, deployed: place.code }, requestLog, options);
    if (router === undefined) throw codeMissing(call);
    requestLog.system(`Calling ${place.endpoint.resource}`);
    const { span = noSpan } = options;
    const step = span.child('route', { attributes: { 'flash.endpoint': place.endpoint.resource } });
    const parts = await withSpan(step, () =>
      router.call(place.endpoint, call, { ...options, trace: step.context }),
    );
    return new EncodedResponse({ ...parts, stdout: requestLog.stdout(parts.stdout ?? '') });
  }

  /** Keeps what is new in the cache, and ends connections to other endpoints. */
  async close(): Promise<void> {
    const { volumeCache, router, log, environments } = this.#dependencies;
    // What was built last is kept on the volume too.
    await environments?.close();
    const [cacheEnd] = await Promise.allSettled([volumeCache.close(), router?.close()]);
    if (cacheEnd.status === 'rejected')
      log.write('warn', 'the volume cache could not be closed', { error: cacheEnd.reason });
  }

  async #runHere(
    call: FunctionCall,
    requestLog: RequestLog,
    options: ExecuteOptions,
  ): Promise<EncodedResponse> {
    let lease: EnvironmentLease | undefined;
    if (call.dependencies.length > 0 || call.systemDependencies.length > 0) {
      const started = performance.now();
      const prepared = await this.#prepare(call, requestLog, options);
      const outcome = prepared.failure === undefined ? 'ready' : 'failed';
      this.#metrics.observe('flash_prepare_duration_seconds', secondsSince(started), [outcome]);
      if (prepared.failure !== undefined)
        return new EncodedResponse({
          success: false,
          error: prepared.failure,
          stdout: requestLog.stdout(''),
        });
      lease = prepared.lease;
    }
    try {
      const execution = await this.#run(call, requestLog, options, lease);
      this.#dependencies.volumeCache.noteRun();
      requestLog.finish();
      return respond(execution, requestLog, this.#missingCode(call, execution));
    } finally {
      lease?.release();
    }
  }

  #missingCode({ deployed }: FunctionCall, { end }: Execution): string | undefined {
    return deployed && end === 'raised' ? this.#dependencies.placeCall?.missingModule(deployed) : undefined;
  }

  async #run(
    call: FunctionCall,
    requestLog: RequestLog,
    { requestId, signal, timeoutMs, onProgress, span = noSpan }: ExecuteOptions,
    lease: EnvironmentLease | undefined,
  ): Promise<Execution> {
    const step = span.child('run');
    const started = performance.now();
    const execution = await withSpan(
      step,
      () =>
        this.#dependencies.executor.run(call, {
          requestId,
          signal,
          timeoutMs,
          environment: lease?.environment,
          trace: step.context,
          onOutput: requestLog.output,
          onProgress,
        }),
      failureOf,
    );
    this.#metrics.observe('flash_run_duration_seconds', secondsSince(started));
    return execution;
  }

  async #timed<T>(name: HistogramName, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    try {
      return await work();
    } finally {
      this.#metrics.observe(name, secondsSince(started));
    }
  }

  /** Brings a request's packages, and beside them what else the cache has. */
  async #prepare(
    call: FunctionCall,
    requestLog: RequestLog,
    { signal, span = noSpan }: ExecuteOptions,
  ): Promise<Preparation> {
    const { installDependencies, volumeCache, executor, log } = this.#dependencies;
    const hydration = withSpan(span.child('hydrate'), () =>
      this.#timed('flash_hydrate_duration_seconds', () => volumeCache.hydrate(requestLog.system)),
    );
    try {
      const prepared = await withSpan(span.child('install'), () =>
        this.#timed('flash_install_duration_seconds', () =>
          installDependencies.prepare(call, { onLine: requestLog.system, signal }),
        ),
      );
      await hydration;
      if (prepared.changes.length > 0) {
        await executor.packagesChanged(prepared.changes);
        // The request does not wait for it.
        this.#timed('flash_sync_duration_seconds', () => volumeCache.sync()).catch((error: unknown) =>
          log.write('warn', 'the volume cache could not be synced', { error }),
        );
      }
      return { lease: prepared.lease };
    } catch (error) {
      if (!(error instanceof InstallError)) throw error;
      log.write('warn', 'installation failed', {
        failure: error.failure,
        packages: error.packages,
      });
      return { failure: error.message };
    }
  }
}

interface Preparation {
  readonly lease?: EnvironmentLease | undefined;
  /** Why the request can't run. */
  readonly failure?: string;
}

function nameOf(call: FunctionCall): string {
  return call.kind === 'function' ? call.functionName : `${call.className}.${call.methodName}`;
}

function failureOf({ end }: Execution): string | undefined {
  return end === 'returned' ? undefined : end;
}

function secondsSince(started: number): number {
  return (performance.now() - started) / 1000;
}

/** @param missing - what the app lacks of this call's code, which is why it raised. */
function respond(execution: Execution, requestLog: RequestLog, missing: string | undefined): EncodedResponse {
  const { end, error } = execution;
  return new EncodedResponse({
    success: end === 'returned',
    result: execution.result,
    error: missing === undefined ? error : `${error}\n${missing}`,
    stdout: requestLog.stdout(execution.output),
    instanceId: execution.instanceId,
    instanceInfo: execution.instanceInfo,
  });
}

function codeMissing(call: FunctionCall): InvalidRequestError {
  const [what, field] =
    call.kind === 'function'
      ? [`function "${call.functionName}"`, 'function_code']
      : [`class "${call.className}"`, 'class_code'];
  return new InvalidRequestError(
    `${what} came without ${field} and this worker has no deployed app that knows it: send ${field}, or deploy the app`,
  );
}
