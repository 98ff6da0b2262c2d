import {
  type InstalledChange,
  type Log,
  WorkerBusyError,
  WorkerClosedError,
  type WorkerError,
  WorkerStartError,
} from '@flash/worker-core';
import { type InstanceEntry, InstanceTable, instanceInfo } from './instance-table.ts';
import { MemoryKills } from './memory-kill.ts';
import { PackageEpochs } from './package-epochs.ts';
import type { Interruption, Run } from './run.ts';
import { Runner, type RunnerListener, type RunnerOptions } from './runner.ts';
import { describeExit, type Killer } from './runner-exit.ts';
import type { PythonBridgeSettings } from './settings.ts';
import type { Hello } from './supervisor-socket.ts';
import type { RunnerExit, Zygote } from './zygote.ts';

/** A busy pool looks so much later whether it needs another runner: most functions are over by then. */
const growAfterMs = 2;
/** Nobody should wait longer than this while more runners may be forked. */
const longWaitMs = 20;
const housekeepingMs = 1000;
/** Runners that die before they are ready, one after the other, until what waits is told why. */
const mostFailedStarts = 3;
const shuttingDown: Interruption = {
  end: 'cancelled',
  message: 'the worker was shut down while the request waited',
};

export interface RunnerPoolOptions {
  readonly settings: PythonBridgeSettings;
  readonly runner: RunnerOptions;
  readonly log: Log;
  /** The zygote that new runners come from. Rejects when there is none to be had. */
  readonly zygote: () => Promise<Zygote>;
}

/** Decides which runner takes which run, and how many runners there are. */
export class RunnerPool {
  readonly #options: RunnerPoolOptions;
  readonly #runners = new Map<number, Runner>();
  /** Most recently used last. */
  readonly #idle: Runner[] = [];
  readonly #waiting: Run[] = [];
  readonly #instances: InstanceTable;
  readonly #epochs = new PackageEpochs();
  readonly #memoryKills = new MemoryKills();
  readonly #listener: RunnerListener;
  readonly #housekeeping: NodeJS.Timeout;
  #nextRunner = 1;
  /** Forked but not ready yet, those that wait for their zygote included. */
  #starting = 0;
  #unborn = 0;
  #failedStarts = 0;
  #completed = 0;
  #completedBefore = 0;
  #growTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: RunnerPoolOptions) {
    this.#options = options;
    this.#instances = new InstanceTable(options.settings.FLASH_MAX_INSTANCES);
    this.#listener = {
      onReady: (runner) => this.#onReady(runner),
      onFree: (runner) => this.#onFree(runner),
      onStale: (runner, run) => this.#onStale(runner, run),
      onConcurrent: (runner, run) => this.#onConcurrent(runner, run),
    };
    this.#housekeeping = setInterval(() => this.#tidy(), housekeepingMs).unref();
  }

  /** Takes a run; its outcome is the run's own promise. */
  submit(run: Run): void {
    if (this.#closed) return run.refuse(new WorkerClosedError());
    const { signal } = run.options;
    if (signal?.aborted) return run.abandon({ end: 'cancelled', message: 'the request was cancelled' });
    try {
      if (run.instanceId === undefined) this.#place(run);
      else this.#placeInstanceRun(run, run.instanceId);
    } catch (error) {
      run.refuse(error as WorkerError);
    }
  }

  /** Brings up one runner ahead of the first run. */
  async warmUp(): Promise<void> {
    await this.#options.zygote();
    if (this.#runners.size === 0) this.#fork();
  }

  attach(hello: Hello): Runner | undefined {
    return this.#runners.get(hello.runner);
  }

  onForked(runnerId: number, pid: number): void {
    const runner = this.#runners.get(runnerId);
    if (runner !== undefined) runner.pid = pid;
  }

  async onExited(runnerId: number, exit: RunnerExit): Promise<void> {
    const runner = this.#runners.get(runnerId);
    if (runner === undefined || runner.hasEnded) return;
    const wasReady = runner.isReady;
    const lost = this.#remove(runner);
    const explanation = describeExit(exit, lost, this.#killerOf(runner, exit));
    await runner.end(() => explanation);
    const isExpected = runner.isRetiring && runner.wasKilled && lost.length === 0;
    this.#options.log.write(isExpected ? 'debug' : 'warn', 'a runner ended', {
      runnerId,
      pid: runner.pid,
      ...exit,
      lostInstances: lost.map((entry) => entry.id),
    });
    this.#replace(wasReady, explanation);
  }

  #killerOf(runner: Runner, exit: RunnerExit): Killer {
    if (runner.wasKilled) return 'supervisor';
    return exit.signal === 'SIGKILL' && this.#memoryKills.happened() ? 'memory' : 'unknown';
  }

  /** The zygote is gone, and with it every runner it had forked. */
  onZygoteLost(zygote: Zygote, reason: string): void {
    for (const runner of [...this.#runners.values()].filter((candidate) => candidate.zygote === zygote)) {
      if (runner.pid !== undefined) killGroup(runner.pid);
      void this.onExited(runner.id, { code: null, signal: null, reason });
    }
  }

  /** Packages changed: what was replaced is not used by new requests any more. */
  packagesChanged(changes: readonly InstalledChange[]): void {
    this.#epochs.advance(changes.flatMap((change) => change.replacedModules));
  }

  /** No runner takes new requests; they end when they are idle. For when the zygote's own imports were replaced. */
  retireAll(): void {
    for (const runner of this.#runners.values()) this.#retire(runner);
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#housekeeping);
    clearTimeout(this.#growTimer);
    for (const run of this.#waiting.splice(0)) run.abandon(shuttingDown);
    for (const runner of this.#runners.values())
      for (const run of runner.pinned.splice(0)) run.abandon(shuttingDown);
  }

  /** Ends every run at work; for after the processes are gone. */
  async endRunners(): Promise<void> {
    await Promise.all(
      [...this.#runners.values()].map((runner) => runner.end(() => 'the worker was shut down')),
    );
    this.#runners.clear();
  }

  // --- placing runs ---------------------------------------------------------------------------------------------------

  #place(run: Run): void {
    const runner = this.#takeIdle();
    if (runner !== undefined) this.#start(runner, run);
    else this.#wait(run, this.#waiting);
    if (this.#idle.length === 0 || this.#waiting.length > 0) this.#considerGrowth();
  }

  /** The most recently used idle runner; one that keeps instances only when no other can be had. */
  #takeIdle(): Runner | undefined {
    const top = this.#idle.at(-1);
    if (top === undefined) return undefined;
    if (top.instances.size === 0) return this.#idle.pop();
    const index = this.#idle.findLastIndex((runner) => runner.instances.size === 0);
    if (index >= 0) return this.#idle.splice(index, 1)[0];
    return this.#runners.size >= this.#options.settings.FLASH_MAX_RUNNERS ? this.#idle.pop() : undefined;
  }

  #placeInstanceRun(run: Run, instanceId: string): void {
    const known = this.#instances.get(instanceId);
    const entry = known ?? this.#addInstance(instanceId, run);
    this.#instances.use(entry);
    run.instanceInfo = () => instanceInfo(entry);
    void run.outcome.then(
      () => this.#releaseInstance(entry, run),
      () => this.#releaseInstance(entry, run),
    );
    if (known === undefined) this.#place(run);
    else if (entry.runner === undefined) this.#wait(run, entry.followers);
    else this.#startPinned(entry.runner, entry, run);
  }

  #addInstance(instanceId: string, run: Run): InstanceEntry {
    const className = run.call.kind === 'class' ? run.call.className : '';
    const { entry, evicted } = this.#instances.add(instanceId, className);
    if (evicted !== undefined) this.#drop(evicted, 'the table is full (FLASH_MAX_INSTANCES)');
    return entry;
  }

  #startPinned(runner: Runner, entry: InstanceEntry, run: Run): void {
    if (this.#mayTakePinned(runner, entry, run)) {
      const index = this.#idle.indexOf(runner);
      if (index >= 0) this.#idle.splice(index, 1);
      this.#start(runner, run);
    } else {
      this.#wait(run, runner.pinned);
    }
  }

  #mayTakePinned(runner: Runner, entry: InstanceEntry, run: Run): boolean {
    if (runner.isIdle) return true;
    return (
      runner.isReady &&
      entry.isConcurrent &&
      !run.createInstance &&
      runner.load < this.#options.settings.FLASH_INSTANCE_CONCURRENCY &&
      runner.servesOnly(entry.id)
    );
  }

  #start(runner: Runner, run: Run): void {
    const entry = run.instanceId === undefined ? undefined : this.#instances.get(run.instanceId);
    const isPinned = entry?.runner === runner;
    if (entry !== undefined) {
      entry.runner = runner;
      runner.instances.add(entry.id);
      if (run.createInstance)
        Object.assign(entry, { createdAt: new Date(), methodCalls: 0, isConcurrent: false });
      entry.methodCalls++;
    }
    runner.start(run, {
      epoch: this.#epochs,
      isPinned,
      spinUs: this.#isQuiet() ? this.#options.settings.FLASH_SPIN_US : 0,
    });
    for (const follower of entry?.followers.splice(0) ?? [])
      if (entry) this.#startPinned(runner, entry, follower);
  }

  /** Nothing else is at work, so that a spinning runner takes no processor time from anybody. */
  #isQuiet(): boolean {
    return this.#waiting.length === 0 && this.#idle.length >= this.#runners.size - 1;
  }

  #wait(run: Run, line: Run[]): void {
    const { FLASH_MAX_WAITING: most } = this.#options.settings;
    if (line.length >= most) {
      throw new WorkerBusyError(
        `${most} requests are waiting for a Python process already; try again later, or raise FLASH_MAX_WAITING or FLASH_MAX_RUNNERS`,
      );
    }
    run.waitingSince = performance.now();
    line.push(run);
    const { signal } = run.options;
    if (signal === undefined) return;
    const leave = (): void => {
      const index = line.indexOf(run);
      if (index < 0) return;
      line.splice(index, 1);
      run.abandon({ end: 'cancelled', message: 'the request was cancelled while it waited' });
    };
    signal.addEventListener('abort', leave, { once: true });
    void run.outcome.finally(() => signal.removeEventListener('abort', leave)).catch(() => {});
  }

  // --- what runners report --------------------------------------------------------------------------------------------

  #onReady(runner: Runner): void {
    this.#starting--;
    this.#failedStarts = 0;
    this.#onFree(runner);
  }

  #onFree(runner: Runner): void {
    this.#completed++;
    if (runner.hasEnded) return;
    this.#startWaitingPinned(runner);
    if (!runner.isIdle) return;
    if (runner.isRetiring) return this.#retire(runner);
    const next = this.#waiting.shift();
    if (next !== undefined) this.#start(runner, next);
    else if (!this.#idle.includes(runner)) this.#idle.push(runner);
  }

  #startWaitingPinned(runner: Runner): void {
    while (runner.pinned.length > 0) {
      const run = runner.pinned[0] as Run;
      const entry = this.#instances.get(run.instanceId ?? '');
      if (entry?.runner !== runner) {
        runner.pinned.shift();
        this.#resubmit(run);
        continue;
      }
      if (!this.#mayTakePinned(runner, entry, run)) return;
      runner.pinned.shift();
      this.#start(runner, run);
    }
  }

  #onStale(runner: Runner, run: Run): void {
    this.#retire(runner);
    const entry = run.instanceId === undefined ? undefined : this.#instances.get(run.instanceId);
    if (entry?.runner === runner) {
      entry.runner = undefined;
      runner.instances.delete(entry.id);
    }
    this.#place(run);
    this.#onFree(runner);
  }

  #onConcurrent(runner: Runner, run: Run): void {
    const entry = this.#instances.get(run.instanceId ?? '');
    if (entry === undefined) return;
    entry.isConcurrent = true;
    this.#startWaitingPinned(runner);
  }

  #releaseInstance(entry: InstanceEntry, run: Run): void {
    entry.uses--;
    entry.lastUsed = new Date();
    const [next, ...others] = entry.runner === undefined ? entry.followers.splice(0) : [];
    if (!run.hasInstance && entry.uses === 0) {
      entry.runner?.instances.delete(entry.id);
      this.#instances.remove(entry);
    } else if (next !== undefined) {
      // The run that should have brought the instance up went away before it had a runner: the next one does it.
      entry.followers = others;
      this.#place(next);
    }
  }

  /** The runner that a run was waiting for is gone: it is placed anew. */
  #resubmit(run: Run): void {
    if (!run.isSettled) this.submit(run);
  }

  // --- how many runners -----------------------------------------------------------------------------------------------

  #considerGrowth(): void {
    if (this.#closed || this.#growTimer !== undefined) return;
    if (this.#runners.size >= this.#options.settings.FLASH_MAX_RUNNERS && this.#waiting.length === 0) return;
    this.#growTimer = setTimeout(() => {
      this.#growTimer = undefined;
      this.#grow();
    }, growAfterMs);
  }

  /**
   * Forks a runner for every run that waits, and one to spare for the next. While runs come and go quickly it does not: more
   * processes would only get in each other's way, unless somebody has waited for long.
   */
  #grow(): void {
    if (this.#waiting.length === 0 && this.#idle.length > 0) return;
    const isFlowing = this.#completed > this.#completedBefore;
    this.#completedBefore = this.#completed;
    const [oldest] = this.#waiting;
    const isPatient = oldest === undefined || performance.now() - oldest.waitingSince < longWaitMs;
    if (isFlowing && isPatient) return this.#considerGrowth();
    const wanted = isFlowing ? 1 : this.#waiting.length + 1 - this.#starting;
    for (let count = Math.min(wanted, this.#room()); count > 0; count--) this.#fork();
    if (this.#waiting.length > 0 && this.#room() > 0) this.#considerGrowth();
    if (this.#room() > 0) return;
    // The pool is full. What waits goes to runners that were kept free for the instances that live in them.
    while (this.#waiting.length > this.#starting) {
      const idle = this.#idle.pop();
      if (idle === undefined) return;
      this.#onFree(idle);
    }
  }

  /** How many runners may still be forked. */
  #room(): number {
    return this.#options.settings.FLASH_MAX_RUNNERS - this.#runners.size - this.#unborn;
  }

  #fork(): void {
    this.#starting++;
    this.#unborn++;
    const id = this.#nextRunner++;
    this.#options.zygote().then(
      (zygote) => {
        this.#unborn--;
        if (this.#closed) return;
        this.#runners.set(id, new Runner(id, zygote, this.#options.runner, this.#listener));
        setTimeout(() => this.#giveUpStart(id), this.#options.settings.FLASH_START_TIMEOUT_MS).unref();
      },
      (error: WorkerError) => {
        this.#starting--;
        this.#unborn--;
        this.#refuseWaiting(error);
      },
    );
  }

  #giveUpStart(id: number): void {
    const runner = this.#runners.get(id);
    if (runner !== undefined && !runner.isReady && !runner.hasEnded) runner.kill();
  }

  #remove(runner: Runner): InstanceEntry[] {
    if (!runner.isReady) this.#starting--;
    this.#runners.delete(runner.id);
    const index = this.#idle.indexOf(runner);
    if (index >= 0) this.#idle.splice(index, 1);
    const lost = this.#instances.removeOf(runner);
    const pinned = runner.pinned.splice(0);
    for (const run of pinned) this.#resubmit(run);
    return lost;
  }

  /** A runner is gone: another one takes its place when it is needed. */
  #replace(wasReady: boolean, reason: string): void {
    if (this.#closed) return;
    if (!wasReady && ++this.#failedStarts >= mostFailedStarts) {
      this.#failedStarts = 0;
      this.#refuseWaiting(new WorkerStartError(`no Python process could be started: ${reason}`));
      return;
    }
    if (this.#runners.size + this.#starting === 0 || this.#waiting.length > 0) this.#fork();
  }

  #refuseWaiting(error: WorkerError): void {
    for (const run of this.#waiting.splice(0)) run.refuse(error);
  }

  #retire(runner: Runner): void {
    runner.isRetiring = true;
    if (runner.isIdle && runner.instances.size === 0 && runner.pinned.length === 0) {
      const index = this.#idle.indexOf(runner);
      if (index >= 0) this.#idle.splice(index, 1);
      runner.kill();
    }
  }

  #drop(entry: InstanceEntry, reason: string): void {
    this.#options.log.write('info', 'an instance was dropped', { instanceId: entry.id, reason });
    entry.runner?.dropInstance(entry.id);
  }

  /** Drops instances nobody uses, and runners nobody needs. */
  #tidy(): void {
    const { FLASH_INSTANCE_IDLE_MS: instanceIdleMs, FLASH_RUNNER_IDLE_MS: runnerIdleMs } =
      this.#options.settings;
    const now = Date.now();
    if (instanceIdleMs > 0) {
      for (const entry of this.#instances.removeIdle(now - instanceIdleMs)) {
        this.#drop(entry, 'unused for too long (FLASH_INSTANCE_IDLE_MS)');
      }
    }
    for (const runner of runnerIdleMs > 0 ? [...this.#idle] : []) {
      if (this.#idle.length <= 1 || runner.idleSince > now - runnerIdleMs || runner.instances.size > 0)
        continue;
      this.#retire(runner);
    }
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // already gone
  }
}
