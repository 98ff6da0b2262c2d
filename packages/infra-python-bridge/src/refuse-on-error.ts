import type { WorkerError } from '@flash/worker-core';
import type { Run } from './run.ts';

/** A run that can't be placed, because a line is full, is told so; whoever was placing it goes on. */
export function refuseOnError(run: Run, place: () => void): void {
  try {
    place();
  } catch (error) {
    run.refuse(error as WorkerError);
  }
}
