import { type FitnessCheck, UnfitError } from '@flash/worker-core';

/** Is there memory enough to run anything? Bounds of the container count. */
export class MemoryCheck implements FitnessCheck {
  readonly name = 'memory';
  readonly #minBytes: number;

  constructor(minBytes: number) {
    this.#minBytes = minBytes;
  }

  async check(): Promise<void> {
    const available = process.availableMemory();
    if (available >= this.#minBytes) return;
    throw new UnfitError(
      this.name,
      `${available} bytes of memory are available and FLASH_MIN_MEMORY_BYTES is ${this.#minBytes}`,
    );
  }
}
