import { WorkerClosedError } from '../errors/worker-closed-error.ts';
import { WorkerStartError } from '../errors/worker-start-error.ts';
import type { Environment } from '../ports/environments.ts';
import type { Execution, Executor, RunOptions } from '../ports/executor.ts';
import type { InstalledChange } from '../ports/installer.ts';
import type { RunnerReport } from '../ports/runner-report.ts';
import type { Call } from '../protocol/function-call.ts';

/** One executor and how many runs it has at work. */
interface Generation {
  readonly executor: Executor;
  atWork: number;
}

/**
 * Executor that can be replaced while it serves: a job may ask for a fresh worker (`refresh_worker`) of a process that other clients
 * talk to. What is at work ends where it is; all else goes to the new executor, which has no instance and no import of the old one.
 */
export class RenewableExecutor implements Executor {
  readonly #create: () => Executor;
  readonly #explain: (error: WorkerStartError) => Promise<unknown>;
  readonly #retiring = new Set<Generation>();
  #current: Generation;
  #isClosed = false;

  /**
   * @param create - makes an executor that is not started yet; called at once, and for every renewal.
   * @param explain - finds the cause of a run's failure where no process could be started for it: that is the machine's more often than the
   * executor's, which knows only what failed first.
   */
  constructor(create: () => Executor, explain = async (error: WorkerStartError): Promise<unknown> => error) {
    this.#create = create;
    this.#explain = explain;
    this.#current = { executor: create(), atWork: 0 };
  }

  /** Puts a new executor in the place of the current one. The old one is closed when its last run has ended. */
  renew(): void {
    if (this.#isClosed) return;
    const old = this.#current;
    const executor = this.#create();
    this.#current = { executor, atWork: 0 };
    this.#retiring.add(old);
    this.#closeIfUnused(old);
    // A run that comes first shares this start, and reports its failure.
    executor.start().then(
      () => executor.warm(),
      () => {},
    );
  }

  start(environment?: Environment): Promise<void> {
    return this.#current.executor.start(environment);
  }

  warm(environment?: Environment): Promise<void> {
    return this.#current.executor.warm(environment);
  }

  async run(call: Call, options: RunOptions): Promise<Execution> {
    if (this.#isClosed) throw new WorkerClosedError();
    const generation = this.#current;
    generation.atWork++;
    try {
      return await generation.executor.run(call, options);
    } catch (error) {
      throw error instanceof WorkerStartError ? await this.#explain(error) : error;
    } finally {
      generation.atWork--;
      if (generation !== this.#current) this.#closeIfUnused(generation);
    }
  }

  packagesChanged(changes: readonly InstalledChange[], environment?: Environment): Promise<void> {
    return this.#current.executor.packagesChanged(changes, environment);
  }

  async closeEnvironment(id: string): Promise<boolean> {
    const ends = await Promise.all(this.#all.map(({ executor }) => executor.closeEnvironment(id)));
    return ends.every((isClosed) => isClosed);
  }

  async runners(): Promise<readonly RunnerReport[]> {
    return (await Promise.all(this.#all.map(({ executor }) => executor.runners()))).flat();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#all.map(({ executor }) => executor.close()));
  }

  get #all(): readonly Generation[] {
    return [this.#current, ...this.#retiring];
  }

  #closeIfUnused(generation: Generation): void {
    if (generation.atWork > 0) return;
    // The executor stays in the list until its processes are gone, so that `close` waits for them too.
    generation.executor.close().then(
      () => this.#retiring.delete(generation),
      () => this.#retiring.delete(generation),
    );
  }
}
