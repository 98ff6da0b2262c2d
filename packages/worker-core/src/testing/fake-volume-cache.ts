import type { CachePart, FetchStages, VolumeCache } from '../ports/volume-cache.ts';

/** A volume in memory, which several {@link FakeVolumeCache} share. */
export interface FakeVolume {
  readonly files: Map<string, string>;
  /** Names of directories, and what they hold. */
  readonly directories: Map<string, unknown>;
  /** The error of each write or read, when set. */
  failure: Error | undefined;
}

/** VolumeCache over maps: `local` stands for the cache directory. It counts, too. */
export class FakeVolumeCache implements VolumeCache {
  readonly local = new Map<string, string>();
  readonly volume: FakeVolume;
  /** Directories by their path. */
  readonly localDirectories = new Map<string, unknown>();
  hydrations = 0;
  syncs = 0;
  notedRuns = 0;
  /** Awaited by each sync; replace it to make one last, or fail. */
  work: () => Promise<void> = async () => {};
  readonly #hydrated = new Set<CachePart>();
  #isClosed = false;

  constructor(volume: FakeVolume = { files: new Map(), directories: new Map(), failure: undefined }) {
    this.volume = volume;
  }

  async hydrate(onLine: (line: string) => void, part: CachePart = 'data'): Promise<void> {
    this.hydrations++;
    if (this.#hydrated.has(part) || this.#isClosed) return;
    if (this.volume.failure !== undefined) {
      onLine(`The cache could not be read: ${this.volume.failure.message}`);
      return;
    }
    this.#hydrated.add(part);
    const files = [...this.volume.files].filter(([path]) => path.startsWith('uv/') === (part === 'packages'));
    for (const [path, text] of files) this.local.set(path, text);
    if (files.length > 0) onLine(`Cache hydrated: ${files.length} files`);
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

  async kept(): Promise<readonly string[]> {
    return this.volume.failure === undefined ? [...this.volume.directories.keys()].reverse() : [];
  }

  async fetch(name: string, directory: string, stages?: FetchStages): Promise<boolean> {
    const content = this.volume.directories.get(name);
    if (content === undefined || this.volume.failure !== undefined) return false;
    stages?.onFirst();
    this.localDirectories.set(directory, content);
    stages?.onUsable?.();
    return true;
  }

  async keep(name: string, directory: string): Promise<void> {
    const content = this.localDirectories.get(directory);
    if (content === undefined || this.volume.failure !== undefined) return;
    if (!this.volume.directories.has(name)) this.volume.directories.set(name, content);
  }

  async close(): Promise<void> {
    await this.sync();
    this.#isClosed = true;
  }
}
