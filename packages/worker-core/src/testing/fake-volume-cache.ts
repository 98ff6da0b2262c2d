import type { VolumeCache } from '../ports/volume-cache.ts';

/** A volume in memory, which several {@link FakeVolumeCache} share. */
export interface FakeVolume {
  readonly files: Map<string, string>;
  /** What a write or a read fails with. */
  failure: Error | undefined;
}

/** VolumeCache over maps: `local` stands for the cache directory. It counts, too. */
export class FakeVolumeCache implements VolumeCache {
  readonly local = new Map<string, string>();
  readonly volume: FakeVolume;
  hydrations = 0;
  syncs = 0;
  notedRuns = 0;
  /** Awaited by each sync; replace it to make one last, or fail. */
  work: () => Promise<void> = async () => {};
  #isHydrated = false;
  #isClosed = false;

  constructor(volume: FakeVolume = { files: new Map(), failure: undefined }) {
    this.volume = volume;
  }

  async hydrate(onLine: (line: string) => void): Promise<void> {
    this.hydrations++;
    if (this.#isHydrated || this.#isClosed) return;
    if (this.volume.failure !== undefined) {
      onLine(`The cache could not be read: ${this.volume.failure.message}`);
      return;
    }
    this.#isHydrated = true;
    for (const [path, text] of this.volume.files) this.local.set(path, text);
    onLine(`Cache hydrated: ${this.volume.files.size} files`);
  }

  async sync(): Promise<void> {
    this.syncs++;
    await this.work();
    if (this.#isClosed || this.volume.failure !== undefined) return;
    for (const [path, text] of this.local) this.volume.files.set(path, text);
  }

  noteRun(): void {
    this.notedRuns++;
  }

  async close(): Promise<void> {
    await this.sync();
    this.#isClosed = true;
  }
}
