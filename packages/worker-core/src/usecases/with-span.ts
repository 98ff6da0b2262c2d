import { WorkerError } from '../errors/worker-error.ts';
import { PassingSpan, type Span } from '../ports/tracer.ts';

/**
 * Does one step of a trace, and ends it whatever comes of it.
 *
 * @param failureOf - what was wrong with what came of it; `undefined`: nothing.
 */
export function withSpan<T>(
  step: Span,
  work: () => Promise<T>,
  failureOf?: (value: T) => string | undefined,
): Promise<T> {
  return step instanceof PassingSpan ? work() : toItsEnd(step, work, failureOf);
}

async function toItsEnd<T>(
  step: Span,
  work: () => Promise<T>,
  failureOf: ((value: T) => string | undefined) | undefined,
): Promise<T> {
  try {
    const value = await work();
    const failure = failureOf?.(value);
    if (failure !== undefined) step.fail(failure);
    return value;
  } catch (error) {
    step.fail(error instanceof WorkerError ? error.code : 'INTERNAL');
    throw error;
  } finally {
    step.end();
  }
}
