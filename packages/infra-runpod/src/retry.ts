import pRetry from 'p-retry';
import type { PlatformContact } from './platform-contact.ts';
import { QueueCallError } from './queue-call-error.ts';
import type { RunpodQueueSettings } from './settings.ts';

export interface RetryOptions {
  /** Hears of calls that succeed. */
  readonly contact: PlatformContact;
  /** How often to try; `Infinity` when only the signal ends it. */
  readonly attempts: number;
  readonly signal?: AbortSignal | undefined;
  /** Called for every failure that is followed by another attempt, which waits for the promise. */
  readonly onFailure?: (error: Error, attempt: number) => void | Promise<void>;
}

export type RetryPauses = Pick<RunpodQueueSettings, 'FLASH_RETRY_MIN_MS' | 'FLASH_RETRY_MAX_MS'>;

/**
 * Tries a call of the queue until it succeeds, with pauses that double, have jitter and an upper bound. A pause ends at once when any other
 * call of the platform succeeds. Should this one fail all the same, again and again, what is left of its pauses doubles as well: calls that succeed
 * every moment make of one that does not no call every moment.
 *
 * @throws the last error when the attempts are used up or the error is final; the signal's reason when aborted.
 */
export function withRetries<T>(
  call: () => Promise<T>,
  { FLASH_RETRY_MIN_MS, FLASH_RETRY_MAX_MS: maxMs }: RetryPauses,
  { contact, attempts, signal, onFailure }: RetryOptions,
): Promise<T> {
  const minMs = Math.min(FLASH_RETRY_MIN_MS, maxMs);
  let timesWoken = 0;
  return pRetry(call, {
    retries: attempts - 1,
    // The pauses are made here.
    minTimeout: 0,
    signal,
    shouldRetry: ({ error }) => !isFinal(error),
    onFailedAttempt: async ({ error, attemptNumber, retriesLeft }) => {
      if (retriesLeft === 0 || isFinal(error)) return;
      await onFailure?.(error, attemptNumber);
      const pauseMs = Math.min(maxMs, minMs * 2 ** (attemptNumber - 1) * (1 + Math.random()));
      const leastMs = Math.min(pauseMs, minMs * 2 ** timesWoken);
      timesWoken = (await contact.pause(pauseMs, leastMs, signal)) ? timesWoken + 1 : 0;
    },
  });
}

function isFinal(error: Error): boolean {
  return error instanceof QueueCallError && error.isFinal;
}
