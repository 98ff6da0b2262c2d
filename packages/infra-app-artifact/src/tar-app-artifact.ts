import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type ArchiveBound, BrokenArchiveError, type Python, unpackArchive } from '@flash/tar-archive';
import { AppError, type AppSource, type Log } from '@flash/worker-core';
import { AppSwitch } from './app-switch.ts';
import type { AppArtifactSettings } from './settings.ts';

/** Says which artifact a directory holds whole. Written last. */
const markName = '.flash-artifact.json';

export interface TarAppArtifactOptions {
  readonly settings: AppArtifactSettings;
  /** Directory the app is unpacked into. */
  readonly appDirectory: string;
  /** Decompresses artifacts of bzip2 and xz; looked for when one is to be unpacked. */
  readonly python?: (() => Python) | undefined;
  readonly log: Log;
}

/**
 * AppSource that unpacks a tar archive (docs/reference/protocol.md, App artifact). It is unpacked beside the app's directory and switched in whole;
 * an attempt that fails or is killed leaves nothing that is ever served. Any number of processes may do so at once.
 */
export class TarAppArtifact implements AppSource {
  readonly #options: TarAppArtifactOptions;
  readonly #switch: AppSwitch;

  constructor(options: TarAppArtifactOptions) {
    this.#options = options;
    this.#switch = new AppSwitch(options.appDirectory);
  }

  async prepare(signal: AbortSignal): Promise<void> {
    const { settings, log } = this.#options;
    if (settings.FLASH_DISABLE_UNPACK) return;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#prepareOnce(signal);
      } catch (error) {
        signal.throwIfAborted();
        const { FLASH_UNPACK_ATTEMPTS: attempts, FLASH_UNPACK_INTERVAL_MS: intervalMs } = settings;
        log.write('error', 'the app could not be unpacked', {
          attempt,
          attempts,
          reason: (error as Error).message,
        });
        if (attempt >= attempts) throw this.#unavailable(error as Error);
        await delay(intervalMs, undefined, { signal }).catch(() => signal.throwIfAborted());
      }
    }
  }

  async #prepareOnce(signal: AbortSignal): Promise<void> {
    const { settings, appDirectory, log } = this.#options;
    const { FLASH_BUILD_ARTIFACT_PATH: path } = settings;
    const { size, mtimeMs } = await stat(path).catch(unlessMissing);
    const mark = JSON.stringify({ path, size, mtimeMs });
    await this.#switch.removeLeftovers();
    if (await this.#holds(mark)) {
      log.write('info', 'the app is unpacked already', { appDirectory });
      return;
    }
    const startedAt = performance.now();
    const staging = await this.#switch.stage();
    try {
      const unpacked = await unpackArchive(path, staging, {
        maxMembers: settings.FLASH_ARTIFACT_MAX_MEMBERS,
        maxBytes: settings.FLASH_ARTIFACT_MAX_BYTES,
        maxMemoryBytes: settings.FLASH_ARTIFACT_MAX_MEMORY_BYTES,
        python: this.#options.python,
        signal,
      });
      await this.#switch.alone(() => this.#switchIn(staging, mark));
      const ms = Math.round(performance.now() - startedAt);
      log.write('info', 'the app was unpacked', { appDirectory, ...unpacked, ms });
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  }

  /** Another process may have been quicker with the same artifact, and serves it already: then its content stays. */
  async #switchIn(staging: string, mark: string): Promise<void> {
    if (await this.#holds(mark)) return;
    const isInside = staging.startsWith(join(this.#options.appDirectory, '/'));
    if (!isInside) await writeFile(join(staging, markName), mark);
    await this.#switch.switchIn(staging);
    if (!isInside) return;
    const path = join(this.#options.appDirectory, markName);
    await writeFile(`${path}.new`, mark);
    await rename(`${path}.new`, path);
  }

  async #holds(mark: string): Promise<boolean> {
    try {
      return (await readFile(join(this.#options.appDirectory, markName), 'utf8')) === mark;
    } catch {
      return false;
    }
  }

  #unavailable(cause: Error): AppError {
    const { settings, appDirectory } = this.#options;
    return new AppError(
      `the app artifact ${settings.FLASH_BUILD_ARTIFACT_PATH} could not be unpacked into ${appDirectory}: ${cause.message}; ${adviceFor(cause)}`,
      { cause },
    );
  }
}

const boundSettings: Readonly<Record<ArchiveBound, string>> = {
  bytes: 'FLASH_ARTIFACT_MAX_BYTES',
  memory: 'FLASH_ARTIFACT_MAX_MEMORY_BYTES',
};

const spaceErrors = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES']);

function adviceFor(cause: Error): string {
  const { code = '' } = cause as NodeJS.ErrnoException;
  if (spaceErrors.has(code)) return 'free some there, or set FLASH_APP_DIR to a directory on another disk';
  const bound = cause instanceof BrokenArchiveError ? cause.bound : undefined;
  return bound === undefined
    ? 'build it again, or set FLASH_BUILD_ARTIFACT_PATH or FLASH_DISABLE_UNPACK'
    : `build a smaller one, or raise ${boundSettings[bound]}`;
}

function unlessMissing(error: NodeJS.ErrnoException): never {
  throw error.code === 'ENOENT' ? new Error('there is no such file', { cause: error }) : error;
}
