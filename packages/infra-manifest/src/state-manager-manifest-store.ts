import type { FlashManifest, Log, ManifestStore } from '@flash/worker-core';
import { ManifestFile } from './manifest-file.ts';
import type { ManifestSettings } from './settings.ts';
import { type ActiveBuild, StateManager } from './state-manager.ts';

export interface StateManagerManifestStoreOptions {
  /** Path of `flash_manifest.json`. */
  readonly path: string;
  /** This worker is part of a Flash deployment (docs/reference/protocol.md, Modes); else the State Manager is never asked. */
  readonly isDeployment: boolean;
  /** Endpoints whose id begins with `preview-` have no State Manager. */
  readonly endpointId: string | undefined;
  readonly settings: ManifestSettings;
  readonly log: Log;
}

interface Source {
  readonly apiKey: string;
  readonly environmentId: string;
}

/** ManifestStore on a file that the State Manager keeps up to date (docs/reference/protocol.md, State Manager). */
export class StateManagerManifestStore implements ManifestStore {
  readonly #options: StateManagerManifestStoreOptions;
  readonly #file: ManifestFile;
  readonly #source: Source | undefined;
  #read: Promise<FlashManifest | undefined> | undefined;
  #readOf: number | undefined;
  #refresh: Promise<string | undefined> | undefined;
  #freshUntil = 0;
  #failures = 0;
  #leftAloneUntil = 0;
  #lastFailure = '';

  constructor(options: StateManagerManifestStoreOptions) {
    this.#options = options;
    this.#file = new ManifestFile(options.path);
    this.#source = sourceOf(options);
  }

  read(): Promise<FlashManifest | undefined> {
    this.#read ??= this.#load();
    return this.#read;
  }

  async current(onWarning: (line: string) => void): Promise<FlashManifest | undefined> {
    if (this.#source === undefined || (await this.#isYoung())) return this.read();
    this.#refresh ??= this.#refreshFrom(this.#source).finally(() => {
      this.#refresh = undefined;
    });
    const failure = await this.#refresh;
    if (failure !== undefined)
      onWarning(`The State Manager can't be asked (${failure}): the manifest may be out of date`);
    return this.read();
  }

  async #load(): Promise<FlashManifest | undefined> {
    try {
      this.#readOf = await this.#file.writtenAt();
      return await this.#file.read();
    } catch (error) {
      // What is mended is read then.
      this.#read = undefined;
      throw error;
    }
  }

  /** Whether there is no need to ask. Another process may have asked already: its file is taken then. */
  async #isYoung(): Promise<boolean> {
    if (performance.now() < this.#freshUntil) return true;
    const { FLASH_MANIFEST_TTL_MS: ttlMs } = this.#options.settings;
    const writtenAt = await this.#file.writtenAt();
    if (writtenAt === undefined) return false;
    if (writtenAt !== this.#readOf) this.#read = undefined;
    // A file of the future, after a jump of the clock, is as good as an old one.
    const age = Date.now() - writtenAt;
    if (Math.abs(age) >= ttlMs) return false;
    this.#freshUntil = performance.now() + ttlMs - Math.abs(age);
    return true;
  }

  /** @returns why it failed, or `undefined`. */
  async #refreshFrom({ apiKey, environmentId }: Source): Promise<string | undefined> {
    const { settings, log } = this.#options;
    if (performance.now() < this.#leftAloneUntil) return this.#lastFailure;
    const stateManager = new StateManager(settings, apiKey, log);
    try {
      await this.#take(await stateManager.activeBuild(environmentId));
      return undefined;
    } catch (error) {
      this.#lastFailure = (error as Error).message;
      this.#leftAloneUntil = performance.now() + settings.FLASH_MANIFEST_RETRY_MS;
      this.#failures++;
      log.write('warn', 'the State Manager can’t be asked: the manifest stays as it is', {
        reason: this.#lastFailure,
        failures: this.#failures,
      });
      return this.#lastFailure;
    } finally {
      await stateManager.close();
    }
  }

  async #take({ buildId, manifest }: ActiveBuild): Promise<void> {
    const { log, path, settings } = this.#options;
    this.#read = Promise.resolve(manifest);
    this.#freshUntil = performance.now() + settings.FLASH_MANIFEST_TTL_MS;
    log.write('info', 'the manifest was brought up to date', { buildId, failuresBefore: this.#failures });
    this.#failures = 0;
    try {
      await this.#file.replace(manifest);
      this.#readOf = await this.#file.writtenAt();
    } catch (error) {
      log.write('warn', 'the manifest could not be written: it is known to this process only', {
        path,
        reason: (error as Error).message,
      });
    }
  }
}

function sourceOf({
  isDeployment,
  endpointId,
  settings,
}: StateManagerManifestStoreOptions): Source | undefined {
  const { RUNPOD_API_KEY: apiKey, FLASH_ENVIRONMENT_ID: environmentId } = settings;
  if (!isDeployment || endpointId?.startsWith('preview-')) return undefined;
  return apiKey !== undefined && environmentId !== undefined ? { apiKey, environmentId } : undefined;
}
