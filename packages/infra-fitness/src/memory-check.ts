import { closeSync, openSync } from 'node:fs';
import { type FitnessCheck, UnfitError } from '@flash/worker-core';

/** Is there memory enough to run anything? Bounds of the container count. */
export class MemoryCheck implements FitnessCheck {
  readonly name = 'memory';
  readonly #minBytes: number;
  readonly #available: () => number;

  /** @param available - bytes of memory that are available. */
  constructor(minBytes: number, available = () => process.availableMemory()) {
    this.#minBytes = minBytes;
    this.#available = available;
  }

  async check(): Promise<void> {
    const available = this.#available();
    if (available >= this.#minBytes) return;
    // Node reads it from files of the system, and says 0 where it can't open them.
    if (available === 0 && !canOpenFiles()) return;
    throw new UnfitError(
      this.name,
      `${available} bytes of memory are available and FLASH_MIN_MEMORY_BYTES is ${this.#minBytes}`,
    );
  }
}

function canOpenFiles(): boolean {
  try {
    closeSync(openSync('/proc/self/limits', 'r'));
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'EMFILE';
  }
}
