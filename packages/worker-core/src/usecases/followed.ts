import { WorkerError } from '../errors/worker-error.ts';
import type { Span } from '../ports/tracer.ts';

/** Does one step of a trace, and ends it whatever comes of it. */
export async function followed<T>(step: Span, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    step.fail(error instanceof WorkerError ? error.code : 'INTERNAL');
    throw error;
  } finally {
    step.end();
  }
}
