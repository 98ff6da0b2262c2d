import type { ChildProcess } from 'node:child_process';
import { spawnPython } from '../python-process.ts';

/** What a zygote is told on descriptor 3, a line of words each (flash_runner/zygote/commands.py). */

export interface ZygoteStart {
  /** Directory for sockets, pipes and modules; private to the supervisor. */
  readonly directory: string;
  /** Whether runners tell what user code imports. */
  readonly recordImports: boolean;
  /** A file that exists once all of the environment has come from the volume. */
  readonly completionFile: string | undefined;
  /** Whether the zygote is ready before it has imported all that runners need; the first runner imports by itself what is not there yet. */
  readonly isLean: boolean;
  readonly preimport: Preimport;
}

/** Modules to import before the first fork, and what that may take. */
interface Preimport {
  readonly modules: readonly string[];
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

/** Starts Python as a zygote, which waits to be told what it is for and ends when descriptor 3 is closed. */
export function spawnZygote(python: string, env: NodeJS.ProcessEnv): ChildProcess {
  return spawnPython(python, 'zygote.start', env, { flags: ['-u'] });
}

/** The first line that the supervisor writes. */
export function startLine({
  isLean,
  recordImports,
  directory,
  completionFile,
  preimport,
}: ZygoteStart): string {
  const { timeoutMs, maxBytes, modules } = preimport;
  const [lean, records] = [isLean, recordImports].map(Number);
  const words = [lean, records, text(directory), text(completionFile ?? ''), timeoutMs / 1000, maxBytes];
  return `start ${words.join(' ')} ${text(modules.join(','))}\n`;
}

/** What a new runner is told of its bounds. */
export interface ForkOptions {
  readonly maxResponseBytes: number;
  /** Whether the process may serve more than one function request. */
  readonly reuses: boolean;
  /** What requests may leave behind in the process before it is replaced. */
  readonly maxBytesLeft: number;
  readonly maxDescriptorsLeft: number;
}

export function forkLine(runner: number, endMark: Buffer, options: ForkOptions): string {
  const { maxResponseBytes, reuses, maxBytesLeft, maxDescriptorsLeft } = options;
  const bounds = [maxResponseBytes, Number(reuses), maxBytesLeft, maxDescriptorsLeft];
  return `fork ${runner} ${endMark.toString('hex')} ${bounds.join(' ')}\n`;
}

export function killLine(runner: number): string {
  return `kill ${runner}\n`;
}

function text(value: string): string {
  return Buffer.from(value).toString('hex') || '-';
}
