import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Call,
  type Execution,
  type Executor,
  type InstalledChange,
  type Log,
  type RunOptions,
  WorkerClosedError,
} from '@flash/worker-core';
import { Run } from './run.ts';
import { RunnerPool } from './runner-pool.ts';
import type { PythonBridgeSettings } from './settings.ts';
import { SupervisorSocket } from './supervisor-socket.ts';
import { Zygote } from './zygote.ts';

const closeTimeoutMs = 5000;

export interface PythonProcessExecutorOptions {
  /** Path of the Python interpreter that runs user code; it must have cloudpickle. */
  readonly python: string;
  /** Environment of user code, without the worker's own secrets. */
  readonly env: NodeJS.ProcessEnv;
  /** The interpreter's version must be this MAJOR.MINOR (`FLASH_PYTHON_VERSION`); any when left out. */
  readonly requiredVersion?: string | undefined;
  readonly settings: PythonBridgeSettings;
  readonly log: Log;
}

/**
 * Executor that runs user code in Python processes forked from a warm zygote. This process never loads a pickle, never runs
 * user code and never blocks on it.
 */
export class PythonProcessExecutor implements Executor {
  readonly #options: PythonProcessExecutorOptions;
  #started: Promise<Supervision> | undefined;
  #up: Supervision | undefined;
  #closed = false;

  constructor(options: PythonProcessExecutorOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const supervision = await this.#supervision();
    await supervision.pool.warmUp();
  }

  async run(call: Call, options: RunOptions): Promise<Execution> {
    if (this.#closed) throw new WorkerClosedError();
    const { FLASH_MAX_OUTPUT_BYTES: maxOutputBytes } = this.#options.settings;
    const run = new Run(call, options, instanceIdOf(call), maxOutputBytes);
    // No turn of the event loop is spent once the pool is up.
    const { pool } = this.#up ?? (await this.#supervision());
    pool.submit(run);
    return run.outcome;
  }

  async packagesChanged(changes: readonly InstalledChange[]): Promise<void> {
    const supervision = await this.#supervision();
    supervision.packagesChanged(changes);
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#started === undefined) return;
    const supervision = await this.#started.catch(() => undefined);
    await supervision?.close();
  }

  async #supervision(): Promise<Supervision> {
    if (this.#closed) throw new WorkerClosedError();
    this.#started ??= Supervision.begin(this.#options).then((supervision) => {
      this.#up = supervision;
      return supervision;
    });
    return this.#started;
  }
}

function instanceIdOf(call: Call): string | undefined {
  if (call.kind === 'function') return undefined;
  // A handler is loaded once and stays where it is, like an instance.
  if (call.kind === 'handler') return call.file;
  return call.instanceId ?? `${call.className}_${randomBytes(4).toString('hex')}`;
}

/** The processes, sockets and files behind the executor, from first use to close. */
class Supervision {
  readonly pool: RunnerPool;
  readonly #options: PythonProcessExecutorOptions;
  readonly #directory: string;
  readonly #socket: SupervisorSocket;
  readonly #zygotes = new Set<Zygote>();
  #zygote: Zygote | undefined;

  static async begin(options: PythonProcessExecutorOptions): Promise<Supervision> {
    const directory = await mkdtemp(join(tmpdir(), 'flash-'));
    const supervision = new Supervision(options, directory);
    await supervision.#socket.listen();
    return supervision;
  }

  private constructor(options: PythonProcessExecutorOptions, directory: string) {
    const { settings, log } = options;
    this.#options = options;
    this.#directory = directory;
    this.pool = new RunnerPool({
      settings,
      log,
      runner: {
        directory,
        cancelGraceMs: settings.FLASH_CANCEL_GRACE_MS,
        executionTimeoutMs: settings.FLASH_EXECUTION_TIMEOUT_MS,
        maxResponseBytes: settings.FLASH_MAX_RESPONSE_BYTES,
        maxWaiting: settings.FLASH_MAX_WAITING,
        streamWindow: settings.FLASH_STREAM_WINDOW,
        startTimeoutMs: settings.FLASH_START_TIMEOUT_MS,
        log,
      },
      zygote: () => this.#currentZygote(),
    });
    // A result, an error text, and what else a frame holds.
    const maxFrameBytes = settings.FLASH_MAX_RESPONSE_BYTES + 8 * 1024 * 1024;
    this.#socket = new SupervisorSocket(directory, maxFrameBytes, {
      onHello: (hello, socket) => this.pool.find(hello.runner)?.attach(hello, socket),
      onGarbage: (hello, error) => {
        log.write('warn', 'a runner sent what is no frame: it is killed', { runnerId: hello?.runner, error });
        if (hello !== undefined) this.pool.find(hello.runner)?.kill();
      },
    });
  }

  packagesChanged(changes: readonly InstalledChange[]): void {
    this.pool.packagesChanged(changes);
    const replaced = changes.flatMap((change) => change.replacedModules);
    if (!replaced.some((name) => this.#zygote?.modules.includes(name))) return;
    // What every runner starts with was replaced: new ones come from a new zygote.
    this.#zygote = undefined;
    this.pool.retireAll();
  }

  async close(): Promise<void> {
    this.pool.close();
    await Promise.all([...this.#zygotes].map((zygote) => zygote.close(closeTimeoutMs)));
    await this.pool.endRunners();
    await this.#socket.close();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #currentZygote(): Promise<Zygote> {
    this.#zygote ??= this.#startZygote();
    const zygote = this.#zygote;
    await zygote.ready;
    return zygote;
  }

  #startZygote(): Zygote {
    const { python, env, settings, log, requiredVersion } = this.#options;
    const zygote: Zygote = new Zygote(
      {
        python,
        env,
        log,
        requiredVersion,
        directory: this.#directory,
        startTimeoutMs: settings.FLASH_START_TIMEOUT_MS,
      },
      {
        onForked: (runner, pid) => this.pool.onForked(runner, pid),
        onExited: (runner, exit) => void this.pool.onExited(runner, exit),
        onLost: (reason) => this.#onZygoteLost(zygote, reason),
      },
    );
    this.#zygotes.add(zygote);
    return zygote;
  }

  #onZygoteLost(zygote: Zygote, reason: string): void {
    this.#options.log.write('error', reason);
    this.#zygotes.delete(zygote);
    if (this.#zygote === zygote) this.#zygote = undefined;
    this.pool.onZygoteLost(zygote, reason);
  }
}
