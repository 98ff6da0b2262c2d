import { readFileSync, readlinkSync } from 'node:fs';

/** Says which process this is, also when its id has been given to another one. What the system does not tell is left out. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it began, in the kernel's clock ticks since the machine was started. */
  readonly startedAt?: string | undefined;
  /** The machine, since its last start. */
  readonly bootId?: string | undefined;
  /** Where the id is one: containers number their processes themselves. */
  readonly pidNamespace?: string | undefined;
}

/** Fields of `/proc/<pid>/stat` behind the name, which is the second. */
const [stateField, startField] = [0, 19];

/** The identity of this process. */
export function thisProcess(): ProcessIdentity {
  return {
    pid: process.pid,
    startedAt: statOf(process.pid)?.[startField],
    bootId: attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    pidNamespace: attempt(() => readlinkSync('/proc/self/ns/pid')),
  };
}

/** Whether a process runs; `undefined` when it can't be told from here: it is of another container or machine. */
export function isRunning(identity: ProcessIdentity): boolean | undefined {
  const own = thisProcess();
  // A system that tells neither has one machine's processes, as far as it goes.
  if (identity.bootId !== own.bootId || identity.pidNamespace !== own.pidNamespace) return undefined;
  const stat = statOf(identity.pid);
  if (stat === undefined) return isKnown(identity.pid);
  const state = stat[stateField] ?? '';
  return !'ZX'.includes(state) && (identity.startedAt ?? stat[startField]) === stat[startField];
}

/** Reads what {@link thisProcess} of another process was written as, in JSON; `undefined` for what is none. */
export function readIdentity(json: string): ProcessIdentity | undefined {
  const value = attempt(() => JSON.parse(json) as ProcessIdentity);
  return Number.isInteger(value?.pid) ? value : undefined;
}

/** For a process whose files are hidden, or a system that has none. */
function isKnown(pid: number): boolean | undefined {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? undefined : false;
  }
}

function statOf(pid: number): readonly string[] | undefined {
  const text = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  // A name may hold anything, brackets and spaces too.
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
