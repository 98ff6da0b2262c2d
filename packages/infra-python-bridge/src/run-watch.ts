import { cancelled, timedOut } from './interruptions.ts';
import type { Interruption, Run } from './run.ts';

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
