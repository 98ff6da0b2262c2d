/** What a zygote is told on descriptor 3, a line of words each (flash_runner/commands.py). */

export interface ZygoteStart {
  /** Directory for sockets, pipes and modules; private to the supervisor. */
  readonly directory: string;
  /** Have runners tell what user code imports. */
  readonly recordImports: boolean;
  /** A file that is there once all of the environment is. */
  readonly wholeMark: string | undefined;
  /** Be ready before all is imported that runners need: the first one imports by itself what is not there yet. */
  readonly isLean: boolean;
  readonly preimport: Preimport;
}

/** Modules to import before the first fork, and what that may take. */
interface Preimport {
  readonly modules: readonly string[];
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

/** The first line of all. */
export function startLine({ isLean, recordImports, directory, wholeMark, preimport }: ZygoteStart): string {
  const { timeoutMs, maxBytes, modules } = preimport;
  const [lean, records] = [isLean, recordImports].map(Number);
  const words = [lean, records, text(directory), text(wholeMark ?? ''), timeoutMs / 1000, maxBytes];
  return `start ${words.join(' ')} ${text(modules.join(','))}\n`;
}

export function forkLine(runner: number, marker: Buffer, maxResponseBytes: number): string {
  return `fork ${runner} ${marker.toString('hex')} ${maxResponseBytes}\n`;
}

export function killLine(runner: number): string {
  return `kill ${runner}\n`;
}

function text(value: string): string {
  return Buffer.from(value).toString('hex') || '-';
}
