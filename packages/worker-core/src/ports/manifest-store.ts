import type { FlashManifest } from '../protocol/flash-manifest.ts';

/** What is known of the deployed app: which function belongs to which resource, and where that is (docs/reference/protocol.md, Manifest). */
export interface ManifestStore {
  /**
   * The manifest as it is here; `undefined` when there is none. Only the first call touches a disk.
   *
   * @throws AppError when there is one that can't be read.
   */
  read(): Promise<FlashManifest | undefined>;
  /**
   * The manifest for a call of another endpoint: asked for anew at its source when it is older than its time to live. A source that
   * fails is never fatal: what is here serves on, and `onWarning` gets a line about it.
   */
  current(onWarning: (line: string) => void): Promise<FlashManifest | undefined>;
}
