import { setTimeout as delay } from 'node:timers/promises';
import type { Interruption, Run } from './run.ts';

export const cancelled: Interruption = { end: 'cancelled', message: 'the request was cancelled' };

export const shuttingDown: Interruption = {
  end: 'cancelled',
  message: 'the worker was shut down while the request waited',
};

function timedOut(timeoutMs: number): Interruption {
  return {
    end: 'timed-out',
    message: `the code ran longer than ${timeoutMs} ms and was stopped; the bound is the job's policy.executionTimeout or FLASH_EXECUTION_TIMEOUT_MS`,
  };
}

export function refusedChunk(error: Error): Interruption {
  return { end: 'raised', message: `a chunk of the output could not be delivered: ${error.message}` };
}

/**
 * Arms a run's time-out and its caller's signal.
 *
 * @param defaultTimeoutMs - for a run that names no time-out of its own; 0: none.
 * @returns what disarms them.
 */
export function watchRun(
  run: Run,
  defaultTimeoutMs: number,
  interrupt: (why: Interruption) => void,
): () => void {
  const { signal, timeoutMs = defaultTimeoutMs } = run.options;
  if (timeoutMs === 0 && signal === undefined) return () => {};
  const onAbort = (): void => interrupt(cancelled);
  const timer = timeoutMs > 0 ? setTimeout(() => interrupt(timedOut(timeoutMs)), timeoutMs) : undefined;
  signal?.addEventListener('abort', onAbort, { once: true });
  return () => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  };
}

/** How a run is ended. */
export interface EndSteps {
  /** The time from the first step to the last, in milliseconds. */
  readonly graceMs: number;
  /** Tells the process to end it; the second time says so. */
  readonly ask: (step: { readonly again?: true }) => void;
  /** Whether there is nothing left to end. */
  readonly isOver: () => boolean;
  /** Ends the process. */
  readonly kill: () => void;
}

/** Ends a run from outside: asks, asks again when half of the time is over, kills at its end. */
export async function endInSteps({ graceMs, ask, isOver, kill }: EndSteps): Promise<void> {
  ask({});
  await delay(graceMs / 2, undefined, { ref: false });
  if (isOver()) return;
  ask({ again: true });
  await delay(graceMs / 2, undefined, { ref: false });
  if (!isOver()) kill();
}
