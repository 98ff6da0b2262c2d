/**
 * What of the cache is brought: `profiles` is the little that a worker wants to know at its start; `packages` are downloads of package tools,
 * which only an installation needs; `data` is everything else.
 */
export type CachePart = 'profiles' | 'packages' | 'data';

/** The order in which the files of a directory are fetched, and what is called on the way. Each callback is called at most once, and not when nothing comes. None may throw. */
export interface FetchStages {
  /** Globs of paths that come before all others. */
  readonly first: readonly string[];
  /** Called when the first files are there. */
  readonly onFirst: () => void;
  /** Globs of paths that come after all others. Directories on the way to them come with them. */
  readonly last?: readonly string[];
  /** Called when all but the last files are there; what is there stays, whether the last ones come or not. */
  readonly onUsable?: () => void;
}

/** The cache on the network volume that outlives a worker (docs/reference/protocol.md, Places). Without a volume all of it does nothing. */
export interface VolumeCache {
  /**
   * Brings a part of what the volume holds to the local cache, once; later calls wait for the same. Lines for the request's log go to
   * `onLine`. Never rejects: a request goes on without the cache.
   *
   * @param part - default "data".
   */
  hydrate(onLine: (line: string) => void, part?: CachePart): Promise<void>;
  /** Writes what is new to the volume, and resolves when all is there that was there at the call, or can't be kept. Never rejects. */
  sync(): Promise<void>;
  /** User code has run and may have added to the cache: a sync follows in a while. Costs nothing. */
  noteRun(): void;
  /** Names of the directories that are kept whole, most recently used first. Never rejects. */
  kept(): Promise<readonly string[]>;
  /**
   * Brings a directory that is kept under a name, file by file. The target must not exist.
   *
   * @returns whether all of it is there now; else nothing is, or nothing but what was usable. Never rejects.
   */
  fetch(name: string, directory: string, stages?: FetchStages): Promise<boolean>;
  /** Keeps a directory whole under a name, unless the volume has one of that name. Never rejects. */
  keep(name: string, directory: string): Promise<void>;
  /** Keeps what is new, for as long as a shutdown may take, and lets go of the volume. */
  close(): Promise<void>;
}
