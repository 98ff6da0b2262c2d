import pRetry from 'p-retry';
import { QueueCallError } from './queue-call-error.ts';
import type { RunpodQueueSettings } from './settings.ts';

export interface RetryOptions {
  /** How often to try; `Infinity` when only the signal ends it. */
  readonly attempts: number;
  readonly signal?: AbortSignal | undefined;
  /** Told of every failure that is followed by another attempt; may wait before it. */
  readonly onFailure?: (error: Error, attempt: number) => void | Promise<void>;
}

export type RetryPauses = Pick<RunpodQueueSettings, 'FLASH_RETRY_MIN_MS' | 'FLASH_RETRY_MAX_MS'>;

/**
 * Tries a call of the queue until it succeeds, with pauses that double, jitter and have an upper bound.
 *
 * @throws the last error when the attempts are used up or the error is final; the signal's reason when aborted.
 */
export function withRetries<T>(
  call: () => Promise<T>,
  pauses: RetryPauses,
  { attempts, signal, onFailure }: RetryOptions,
): Promise<T> {
  return pRetry(call, {
    retries: attempts - 1,
    factor: 2,
    minTimeout: Math.min(pauses.FLASH_RETRY_MIN_MS, pauses.FLASH_RETRY_MAX_MS),
    maxTimeout: pauses.FLASH_RETRY_MAX_MS,
    randomize: true,
    signal,
    shouldRetry: ({ error }) => !isFinal(error),
    onFailedAttempt: async ({ error, attemptNumber, retriesLeft }) => {
      if (retriesLeft > 0 && !isFinal(error)) await onFailure?.(error, attemptNumber);
    },
  });
}

function isFinal(error: Error): boolean {
  return error instanceof QueueCallError && error.isFinal;
}
