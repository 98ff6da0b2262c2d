import { joinBytes } from '../output/join-bytes.ts';
import { RequestLog } from '../output/request-log.ts';
import type { Execution, Executor, HandlerFailure, RunOptions } from '../ports/executor.ts';
import type { Job, JobOutcome } from '../ports/job-queue.ts';
import type { Log } from '../ports/log.ts';
import type { Metrics } from '../ports/metrics.ts';
import { refuseDeepJson } from '../protocol/parse-json.ts';
import { noSpan } from '../ports/tracer.ts';
import { withSpan } from './with-span.ts';
import type { InstallMissingModule } from './install-missing-module.ts';
import { type JobListeners, type JobRunner, outcomeOf } from './job-runner.ts';

/** Who this worker is; part of every handler's error report (docs/reference/protocol.md, Error reports). */
export interface WorkerIdentity {
  readonly hostname: string;
  readonly workerId: string;
  readonly version: string;
}

export interface RunHandlerJobDependencies {
  readonly executor: Executor;
  readonly installMissingModule: InstallMissingModule;
  readonly log: Log;
  readonly metrics?: Metrics | undefined;
  /** Absolute path of the Python file that defines `handler`. */
  readonly file: string;
  readonly identity: WorkerIdentity;
  /** How much of a job's output is logged live, in bytes. */
  readonly maxLoggedOutputBytes: number;
  /** Report the chunks of a stream once more as one list when it has ended. */
  readonly aggregateStream: boolean;
}

const encoder = new TextEncoder();

/** Runs a queue job with the handler of a deployed app: plain JSON in, plain JSON out (docs/reference/protocol.md, Modes and Error reports). */
export class RunHandlerJob implements JobRunner {
  readonly #dependencies: RunHandlerJobDependencies;

  constructor(dependencies: RunHandlerJobDependencies) {
    this.#dependencies = dependencies;
  }

  async run(job: Job, listeners: JobListeners = {}): Promise<JobOutcome> {
    const { log, maxLoggedOutputBytes, aggregateStream } = this.#dependencies;
    const requestLog = new RequestLog(log, job.id, maxLoggedOutputBytes, listeners.onEvent);
    const chunks: Uint8Array[] = [];
    let isStream = false;
    const onChunk = async (json: Uint8Array): Promise<void> => {
      isStream = true;
      if (aggregateStream) chunks.push(json);
      await listeners.onChunk?.(json);
    };
    try {
      if (job.body.input === undefined) return { error: 'INVALID_REQUEST: the job has no input' };
      refuseDeepJson(job.bytes, 'the job');
      const started = performance.now();
      const step = (listeners.span ?? noSpan).child('run');
      const talk = { onProgress: listeners.onProgress, onChunk, trace: step.context };
      const execution = await withSpan(
        step,
        () => this.#execute(job, requestLog, talk),
        ({ end }) => (end === 'returned' ? undefined : end),
      );
      const seconds = (performance.now() - started) / 1000;
      this.#dependencies.metrics?.observe('flash_run_duration_seconds', seconds);
      requestLog.finish();
      return { ...this.#outcome(execution, chunks), isStream: isStream || execution.handler?.isStream };
    } catch (error) {
      return outcomeOf(error);
    }
  }

  /** Runs the handler; as long as loading it wants for a module, that is installed first. */
  async #execute(
    job: Job,
    requestLog: RequestLog,
    talk: Pick<RunOptions, 'onProgress' | 'onChunk' | 'trace'>,
  ): Promise<Execution> {
    const { executor, file, installMissingModule } = this.#dependencies;
    const tried = new Set<string>();
    for (;;) {
      const execution = await executor.run(
        {
          kind: 'handler',
          file,
          serializationFormat: 'json',
          payload: { bytes: job.bytes, requestAt: 'root', request: job.body },
        },
        {
          requestId: job.id,
          signal: job.stop,
          timeoutMs: job.executionTimeoutMs,
          onOutput: requestLog.output,
          ...talk,
        },
      );
      const { failure } = execution;
      if (failure?.missingModule === undefined || job.stop.aborted) return execution;
      // The package of the module's name was installed for this job and does not have the module.
      if (tried.has(failure.missingModule)) return execution;
      tried.add(failure.missingModule);
      const end = await installMissingModule.install(failure.missingModule, requestLog.system);
      if (!end.installed) {
        const message = `${failure.message}; it could not be installed: ${end.reason}`;
        return { ...execution, failure: { ...failure, message } };
      }
    }
  }

  #outcome(execution: Execution, chunks: readonly Uint8Array[]): JobOutcome {
    const { result, handler, failure, error } = execution;
    if (failure !== undefined) return { error: this.#report(failure) };
    if (execution.end !== 'returned') return { error };
    return {
      outputJson: handler?.isStream ? listOf(chunks) : result?.format === 'json' ? result.json : undefined,
      error: handler?.error,
      refreshWorker: handler?.refreshWorker,
    };
  }

  #report({ type, message, traceback }: HandlerFailure): string {
    const { hostname, workerId, version } = this.#dependencies.identity;
    return JSON.stringify({
      error_type: type,
      error_message: message,
      error_traceback: traceback,
      hostname,
      worker_id: workerId,
      runpod_version: version,
    });
  }
}

function listOf(chunks: readonly Uint8Array[]): Uint8Array {
  const separator = encoder.encode(',');
  const items = chunks.flatMap((chunk, index) => (index === 0 ? [chunk] : [separator, chunk]));
  return joinBytes([encoder.encode('['), ...items, encoder.encode(']')]);
}
