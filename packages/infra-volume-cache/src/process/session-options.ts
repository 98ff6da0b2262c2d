/** What a cache session is opened with. */
export interface SessionOptions {
  /** The cache directory. */
  readonly root: string;
  /** Where the volume is mounted. */
  readonly volume: string;
  readonly endpointId: string;
  readonly exclude: readonly string[];
  readonly segmentBytes: number;
  readonly bigFileBytes: number;
  readonly compactAt: number;
  readonly graceMs: number;
  readonly maxBytes: number;
  readonly threads: number;
  readonly fullScanMs: number;
}
