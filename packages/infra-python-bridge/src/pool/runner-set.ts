import { Runner } from '../runner/runner.ts';
import type { RunnerListener } from '../runner/runner-options.ts';
import type { Zygote } from '../zygote/zygote.ts';
import { IdleRunners } from './idle-runners.ts';
import type { RunnerPoolOptions } from './runner-pool-options.ts';

/** Runners by what they do. */
export interface RunnerCensus {
  readonly starting: number;
  readonly idle: number;
  readonly busy: number;
}

/** The runners of one pool, from their fork to their end. */
export class RunnerSet {
  readonly idle = new IdleRunners();
  readonly #options: RunnerPoolOptions;
  readonly #listener: RunnerListener;
  readonly #runners = new Map<number, Runner>();
  /** How many runners were asked for and are not ready yet. */
  #starting = 0;
  /** Runners that are exiting, the oldest first. */
  readonly #exiting = new Set<Runner>();

  constructor(options: RunnerPoolOptions, listener: RunnerListener) {
    this.#options = options;
    this.#listener = listener;
  }

  get all(): readonly Runner[] {
    return [...this.#runners.values()];
  }

  get starting(): number {
    return this.#starting;
  }

  get census(): RunnerCensus {
    const [starting, idle] = [this.#starting, this.idle.size];
    return { starting, idle, busy: this.#runners.size - starting - idle };
  }

  /** Whether something runs in one of them, or waits for one. */
  get areBusy(): boolean {
    for (const runner of this.#runners.values()) if (runner.load > 0 || runner.pinned.length > 0) return true;
    return false;
  }

  /** How many runners count towards the bound: a runner on its way out takes no run any more, nor does one that only keeps its instances. */
  get held(): number {
    let held = 0;
    for (const runner of this.#runners.values()) if (!runner.isRetiring || runner.load > 0) held++;
    return held;
  }

  get busy(): number {
    let busy = 0;
    for (const runner of this.#runners.values()) if (runner.load > 0) busy++;
    return busy;
  }

  find(runnerId: number): Runner | undefined {
    return this.#runners.get(runnerId);
  }

  of(zygote: Zygote): readonly Runner[] {
    return this.all.filter((runner) => runner.zygote === zygote);
  }

  fork(): void {
    this.#starting++;
    const zygote = this.#options.zygote();
    const forked = this.#options.takeForked();
    const id = forked?.id ?? this.#options.newRunnerId();
    this.#runners.set(id, new Runner(id, zygote, this.#options.runner, this.#listener, forked?.endMark));
  }

  becameReady(): void {
    this.#starting--;
  }

  remove(runner: Runner): void {
    if (!runner.isReady) this.#starting--;
    this.#runners.delete(runner.id);
    this.#exiting.delete(runner);
    this.idle.remove(runner);
  }

  clear(): void {
    this.#runners.clear();
  }

  /** Takes no new requests; ends as soon as nothing runs in it and no instance lives there. */
  retire(runner: Runner, how: 'kill' | 'exit'): void {
    runner.isRetiring = true;
    this.idle.remove(runner);
    if (!runner.isIdle || runner.instances.size > 0 || runner.pinned.length > 0) return;
    if (how === 'kill') runner.kill();
    else this.exit(runner, false);
  }

  /** Ends runners that have retired, and spare ones that have had nothing to do for long. */
  endUnneeded(): void {
    const { FLASH_RUNNER_IDLE_MS: idleMs } = this.#options.settings;
    for (const runner of this.#runners.values())
      if (runner.isRetiring && !runner.isExiting) this.retire(runner, 'kill');
    if (idleMs === 0) return;
    const longIdle = this.idle.spare().filter((runner) => runner.idleSince <= Date.now() - idleMs);
    for (const runner of longIdle) if (this.idle.size > 1) this.retire(runner, 'kill');
  }

  /** Has a runner exit, see {@link Runner.exit}. At most `FLASH_MAX_RUNNERS` exit at a time: one more has the oldest of them killed. */
  exit(runner: Runner, isAsked: boolean): void {
    runner.isRetiring = true;
    this.idle.remove(runner);
    this.#exiting.add(runner);
    runner.exit(isAsked);
    const [oldest] = this.#exiting;
    if (this.#exiting.size > this.#options.settings.FLASH_MAX_RUNNERS) oldest?.kill();
  }
}
