import type { ManifestStore } from '../ports/manifest-store.ts';
import { type FlashManifest, flashManifestSchema } from '../protocol/flash-manifest.ts';

/** ManifestStore in memory, with a source that has a newer manifest or fails. */
export class FakeManifestStore implements ManifestStore {
  #manifest: FlashManifest | undefined;
  /** What the source answers with: a manifest, an Error, or nothing. */
  source: object | Error | undefined;
  /** How often the source was asked. */
  asked = 0;

  constructor(manifest?: object, source?: object | Error) {
    this.#manifest = manifest && flashManifestSchema.parse(manifest);
    this.source = source;
  }

  async read(): Promise<FlashManifest | undefined> {
    return this.#manifest;
  }

  async current(onWarning: (line: string) => void): Promise<FlashManifest | undefined> {
    if (this.source === undefined) return this.#manifest;
    this.asked++;
    if (this.source instanceof Error) onWarning(this.source.message);
    else this.#manifest = flashManifestSchema.parse(this.source);
    return this.#manifest;
  }
}
