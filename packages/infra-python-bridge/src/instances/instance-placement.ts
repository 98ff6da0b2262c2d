import type { Log } from '@flash/worker-core';
import type { Run } from '../run/run.ts';
import type { Runner } from '../runner/runner.ts';
import type { PythonBridgeSettings } from '../settings.ts';
import { type InstanceEntry, type InstanceHome, type InstanceTable, instanceInfo } from './instance-table.ts';

export interface InstancePlacementDependencies {
  readonly settings: PythonBridgeSettings;
  readonly log: Log;
  /** The instances of all pools. */
  readonly table: InstanceTable;
  /** The pool whose runs these are. */
  readonly home: InstanceHome;
  /** Gives a run to any runner that is free. */
  readonly place: (run: Run) => void;
  /** Gives a run to the runner that its instance lives in, and that may take it. */
  readonly startIn: (runner: Runner, run: Run) => void;
}

/** Which runs go to which runner because an instance lives there: the first run of an instance goes anywhere, all others follow it. */
export class InstancePlacement {
  readonly #dependencies: InstancePlacementDependencies;

  constructor(dependencies: InstancePlacementDependencies) {
    this.#dependencies = dependencies;
  }

  /** Whether an instance lives in this pool. */
  get hasAny(): boolean {
    return this.#dependencies.table.isHome(this.#dependencies.home);
  }

  place(run: Run, instanceId: string): void {
    const { table, place } = this.#dependencies;
    const known = table.get(instanceId);
    const entry = known ?? this.#add(instanceId, run);
    table.use(entry);
    run.instanceInfo = () => instanceInfo(entry);
    void run.outcome.then(
      () => this.#release(entry, run),
      () => this.#release(entry, run),
    );
    if (known === undefined) place(run);
    else if (entry.runner === undefined) entry.followers.add(run);
    else this.#follow(entry.runner, entry, run);
  }

  /** A run is about to be handed to a runner. @returns whether it can only run there. */
  assignRunner(runner: Runner, run: Run): boolean {
    const entry = this.#entryOf(run);
    if (entry === undefined) return false;
    const isPinned = entry.runner === runner;
    entry.runner = runner;
    runner.instances.add(entry.id);
    if (run.createInstance)
      Object.assign(entry, { createdAt: new Date(), methodCalls: 0, isConcurrent: false });
    entry.methodCalls++;
    return isPinned;
  }

  /** The run was handed over: those that waited for its instance to have a runner go there too. */
  startFollowers(runner: Runner, run: Run): void {
    const entry = this.#entryOf(run);
    for (const follower of entry?.followers.takeAll() ?? [])
      follower.placeOrRefuse(() => this.#follow(runner, entry as InstanceEntry, follower));
  }

  /** A runner has become free: it takes what waits for its instances. */
  startWaiting(runner: Runner): void {
    const { table, home, startIn } = this.#dependencies;
    for (let run = runner.pinned.first; run !== undefined; run = runner.pinned.first) {
      const entry = table.get(run.instanceId ?? '');
      if (entry?.runner !== runner) {
        runner.pinned.shift();
        if (!run.isSettled) home.submit(run);
        continue;
      }
      if (!this.#mayTake(runner, entry, run)) return;
      runner.pinned.shift();
      startIn(runner, run);
    }
  }

  /** The runner can't run it after all: its instance is made elsewhere. */
  unassignRunner(runner: Runner, run: Run): void {
    const entry = this.#entryOf(run);
    if (entry?.runner !== runner) return;
    entry.runner = undefined;
    runner.instances.delete(entry.id);
  }

  /** The run's instance takes overlapping calls from now on. */
  becomeConcurrent(runner: Runner, run: Run): void {
    const entry = this.#entryOf(run);
    if (entry === undefined) return;
    entry.isConcurrent = true;
    this.startWaiting(runner);
  }

  /** A runner is gone. @returns the instances that went with it. */
  removeOf(runner: Runner): InstanceEntry[] {
    return this.#dependencies.table.removeOf(runner);
  }

  /** Lets go of instances that no run has used for long. */
  dropIdle(): void {
    const { settings, table } = this.#dependencies;
    const { FLASH_INSTANCE_IDLE_MS: idleMs } = settings;
    if (idleMs === 0) return;
    for (const entry of table.removeIdle(Date.now() - idleMs))
      this.#drop(entry, 'unused for too long (FLASH_INSTANCE_IDLE_MS)');
  }

  /** Lets go of an instance that is about to be made in another pool. */
  drop(entry: InstanceEntry): void {
    this.#dependencies.table.remove(entry);
    entry.runner?.dropInstance(entry.id);
  }

  #entryOf({ instanceId }: Run): InstanceEntry | undefined {
    return instanceId === undefined ? undefined : this.#dependencies.table.get(instanceId);
  }

  #add(instanceId: string, run: Run): InstanceEntry {
    const { table, home } = this.#dependencies;
    const className = run.call.kind === 'class' ? run.call.className : '';
    const { entry, evicted } = table.add(instanceId, className, run.call.kind === 'handler', home);
    if (evicted !== undefined) this.#drop(evicted, 'the table is full (FLASH_MAX_INSTANCES)');
    return entry;
  }

  #follow(runner: Runner, entry: InstanceEntry, run: Run): void {
    if (this.#mayTake(runner, entry, run)) this.#dependencies.startIn(runner, run);
    else runner.pinned.add(run);
  }

  #mayTake(runner: Runner, entry: InstanceEntry, run: Run): boolean {
    if (runner.isIdle) return true;
    return (
      runner.isReady &&
      entry.isConcurrent &&
      !run.createInstance &&
      runner.load < this.#dependencies.settings.FLASH_INSTANCE_CONCURRENCY &&
      runner.servesOnly(entry.id)
    );
  }

  #release(entry: InstanceEntry, run: Run): void {
    entry.uses--;
    entry.lastUsed = new Date();
    const next = entry.runner === undefined ? entry.followers.shift() : undefined;
    if (!run.hasInstance && entry.uses === 0) {
      entry.runner?.instances.delete(entry.id);
      this.#dependencies.table.remove(entry);
    } else if (next !== undefined) {
      // The run that should have brought the instance up went away before it had a runner: the next one does it.
      next.placeOrRefuse(() => this.#dependencies.place(next));
    }
  }

  #drop(entry: InstanceEntry, reason: string): void {
    this.#dependencies.log.write('info', 'an instance was dropped', { instanceId: entry.id, reason });
    entry.runner?.dropInstance(entry.id);
  }
}
