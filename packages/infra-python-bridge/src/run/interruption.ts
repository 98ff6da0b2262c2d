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
