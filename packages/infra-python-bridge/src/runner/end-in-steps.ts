import { setTimeout as delay } from 'node:timers/promises';

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
