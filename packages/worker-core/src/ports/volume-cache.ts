/** The cache on the network volume that outlives a worker (contract, section 4). */
export interface VolumeCache {
  /** Brings what the volume holds to the local cache, once; later calls return at once. Lines for the request's log go to `onLine`. */
  hydrate(onLine: (line: string) => void): Promise<void>;
  /** Writes what is new to the volume. */
  sync(): Promise<void>;
}
