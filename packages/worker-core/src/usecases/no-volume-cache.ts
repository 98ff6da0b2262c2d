import type { VolumeCache } from '../ports/volume-cache.ts';

/** The cache of a worker without a network volume: there is nothing to bring and nothing to keep. */
export class NoVolumeCache implements VolumeCache {
  async hydrate(): Promise<void> {}

  async sync(): Promise<void> {}

  noteRun(): void {}

  async kept(): Promise<readonly string[]> {
    return [];
  }

  async fetch(): Promise<boolean> {
    return false;
  }

  async keep(): Promise<void> {}

  async close(): Promise<void> {}
}
