/** The cache on the network volume that outlives a worker (contract, section 4). Without a volume all of it does nothing. */
export interface VolumeCache {
  /**
   * Brings what the volume holds to the local cache, once; later calls wait for the same. Lines for the request's log go to `onLine`. Never
   * rejects: a request goes on without the cache.
   */
  hydrate(onLine: (line: string) => void): Promise<void>;
  /** Writes what is new to the volume, and resolves when all is there that was there at the call, or can't be kept. Never rejects. */
  sync(): Promise<void>;
  /** User code has run and may have added to the cache: a sync follows in a while. Costs nothing. */
  noteRun(): void;
  /** Keeps what is new, for as long as a shutdown may take, and lets go of the volume. */
  close(): Promise<void>;
}
