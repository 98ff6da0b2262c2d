import { readFileSync } from 'node:fs';
import type { RunnerExit } from '../zygote/zygote.ts';

/**
 * What is known to have killed a runner: the supervisor, as a run in it did not end or as it sent what can't be read (`garbage`), or the kernel for
 * want of memory.
 */
export type Killer = 'supervisor' | 'garbage' | 'memory' | 'unknown';

/**
 * What a request is told whose process went away under it (docs/reference/protocol.md, Resilience).
 *
 * @param lost - ids of the instances that lived in it.
 * @param wasReady - whether it could have run anything.
 */
export function describeExit(
  exit: RunnerExit,
  lost: readonly string[],
  killer: Killer,
  wasReady: boolean,
): string {
  const instances = lost.length > 0 ? `; these instances lived in it and are lost: ${lost.join(', ')}` : '';
  return `${cause(exit, killer, wasReady)}${instances}`;
}

/** Signals that the system sends for an error in native code. */
const faults = new Set(['SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGABRT', 'SIGTRAP', 'SIGSYS']);

function cause({ code, signal, reason }: RunnerExit, killer: Killer, wasReady: boolean): string {
  const process = 'the Python process that ran this code';
  // The supervisor had closed its connection: the runner may have ended because of that before it was killed.
  if (killer === 'garbage')
    return `${process} sent an answer that can't be read, and was killed: the code has replaced a function that Python's own modules rely on, or has written to a descriptor that is not its own`;
  if (signal === 'SIGKILL') {
    switch (killer) {
      case 'supervisor':
        return `${process} had to be killed because another call in it did not end when it was stopped`;
      case 'memory':
        return `${process} was killed because the container ran out of memory: use less memory or a larger worker`;
      case 'unknown':
        return `${process} was killed (SIGKILL), which is mostly the system's answer to a lack of memory`;
    }
  }
  if (signal !== null && faults.has(signal))
    return `${process} crashed with ${signal}, most likely in native code`;
  if (signal !== null)
    return `${process} was ended by the signal ${signal}, which the code has sent itself or was sent from outside the worker`;
  if (code !== null && !wasReady)
    return `a Python process ended with exit code ${code} before it was ready for any code; what it said is in the worker's log`;
  if (code !== null) {
    return `${process} ended itself with exit code ${code} before the code had returned (os._exit, or a library that exits)`;
  }
  return `${process} is gone: ${reason ?? 'for an unknown reason'}`;
}

/** Why a runner ended, in one word: it was not needed, its run had to be ended, or it did so by itself. */
export function endKind(
  runner: { readonly isRetiring: boolean; readonly isExiting: boolean; readonly killer: Killer | undefined },
  lost: readonly string[],
): 'unneeded' | 'killed' | 'crashed' {
  if (runner.isExiting) return 'unneeded';
  if (runner.killer === undefined) return 'crashed';
  return runner.isRetiring && lost.length === 0 ? 'unneeded' : 'killed';
}

const counters = [
  { path: '/sys/fs/cgroup/memory.events', pattern: /^oom_kill (\d+)$/m },
  { path: '/sys/fs/cgroup/memory/memory.oom_control', pattern: /^oom_kill (\d+)$/m },
];

/** Tells whether the kernel killed something in this container because memory ran out. */
export class MemoryKills {
  #seen = count();

  /** Whether the kernel has killed something since the last call. Reads a file: call it only after a kill that this process did not ask for. */
  happened(): boolean {
    const before = this.#seen;
    this.#seen = count();
    return this.#seen > before;
  }
}

function count(): number {
  for (const { path, pattern } of counters) {
    try {
      return Number(pattern.exec(readFileSync(path, 'utf8'))?.[1] ?? 0);
    } catch {
      // not this kind of cgroup
    }
  }
  return 0;
}
