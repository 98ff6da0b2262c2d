import type { VolumeCache } from '../ports/volume-cache.ts';

/** VolumeCache that counts. */
export class FakeVolumeCache implements VolumeCache {
  hydrations = 0;
  syncs = 0;
  /** Awaited by each sync; replace it to make one last, or fail. */
  work: () => Promise<void> = async () => {};

  async hydrate(onLine: (line: string) => void): Promise<void> {
    if (this.hydrations++ === 0) onLine('cache hydrated');
  }

  async sync(): Promise<void> {
    this.syncs++;
    await this.work();
  }
}
