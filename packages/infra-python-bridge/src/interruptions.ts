import type { Interruption } from './run.ts';

export const cancelled: Interruption = { end: 'cancelled', message: 'the request was cancelled' };

export const shuttingDown: Interruption = {
  end: 'cancelled',
  message: 'the worker was shut down while the request waited',
};

export function timedOut(timeoutMs: number): Interruption {
  return {
    end: 'timed-out',
    message: `the code ran longer than ${timeoutMs} ms and was stopped; the bound is the job's policy.executionTimeout or FLASH_EXECUTION_TIMEOUT_MS`,
  };
}

export function refusedChunk(error: Error): Interruption {
  return { end: 'raised', message: `a chunk of the output could not be delivered: ${error.message}` };
}
