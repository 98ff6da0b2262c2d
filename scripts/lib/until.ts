import { setTimeout as delay } from 'node:timers/promises';

/** Waits until a condition holds. The bound is so wide that only a fault exceeds it, on a busy machine too. */
export async function until(condition: () => unknown, mostMs = 60_000): Promise<void> {
  const end = performance.now() + mostMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${mostMs} ms: ${condition}`);
    await delay(10);
  }
}
