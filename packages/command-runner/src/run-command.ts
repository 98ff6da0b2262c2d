import { LineSplitter } from './line-splitter.ts';

export interface CommandOptions {
  /** The whole environment of the command; nothing else is inherited. */
  readonly env: NodeJS.ProcessEnv;
  /** The command is killed with all its children after so many milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Receives each line of stdout and stderr as it is written. */
  readonly onLine?: ((line: string) => void) | undefined;
}

/** How a command ended. `output` holds the last lines it wrote. */
export type CommandResult =
  | { readonly end: 'exited'; readonly exitCode: number; readonly output: string }
  | { readonly end: 'timed-out' | 'cancelled'; readonly output: string }
  | { readonly end: 'not-started'; readonly output: string };

const keptLines = 200;
/** Time after which a process that has not ended on SIGTERM is killed. */
const terminationGraceMs = 2000;

/** Runs a command in a process group of its own, so that it can be ended with everything it started. Never rejects. */
export async function runCommand(
  file: string,
  args: readonly string[],
  { env, timeoutMs, signal, onLine }: CommandOptions,
): Promise<CommandResult> {
  const lines: string[] = [];
  const take = (line: string): void => {
    lines.push(line);
    if (lines.length > keptLines) lines.shift();
    onLine?.(line);
  };
  // Each stream has a splitter of its own, so that a line of one is not cut by output of the other.
  const [stdout, stderr] = [new LineSplitter(take), new LineSplitter(take)];
  // execa is loaded with the first command: a worker that installs nothing starts without it.
  const { execa } = await import('execa');
  if (signal?.aborted) return { end: 'cancelled', output: '' };
  const child = execa(file, args, {
    env,
    extendEnv: false,
    stdin: 'ignore',
    buffer: false,
    reject: false,
    detached: true,
    stripFinalNewline: false,
  });
  child.stdout.on('data', (bytes: Buffer) => stdout.push(bytes));
  child.stderr.on('data', (bytes: Buffer) => stderr.push(bytes));
  let end: 'timed-out' | 'cancelled' | undefined;
  const stop = (why: 'timed-out' | 'cancelled') => () => {
    end ??= why;
    endGroup(child.pid);
  };
  const timer = setTimeout(stop('timed-out'), timeoutMs);
  const onAbort = stop('cancelled');
  signal?.addEventListener('abort', onAbort, { once: true });
  const result = await child;
  clearTimeout(timer);
  signal?.removeEventListener('abort', onAbort);
  // The command itself has ended; processes that it left in its group are ended too.
  if (end !== undefined) signalGroup(child.pid, 'SIGKILL');
  stdout.end();
  stderr.end();
  const output = lines.join('\n');
  if (end !== undefined) return { end, output };
  if (result.exitCode === undefined && result.signal === undefined) {
    return { end: 'not-started', output: result.originalMessage ?? result.shortMessage ?? '' };
  }
  return { end: 'exited', exitCode: result.exitCode ?? 128, output };
}

function endGroup(pid: number | undefined): void {
  signalGroup(pid, 'SIGTERM');
  setTimeout(() => signalGroup(pid, 'SIGKILL'), terminationGraceMs).unref();
}

function signalGroup(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, name);
  } catch {
    // No process of the group is left.
  }
}
