import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CacheProcess } from '../src/cache-process.ts';
import type { SessionOptions } from '../src/process/session-options.ts';
import { type VolumeCacheSettings, volumeCacheSettingsSchema } from '../src/settings.ts';
import { TarSegmentCache } from '../src/tar-segment-cache.ts';

/** A volume, and the local disks of workers that share it; all of it goes when the test has ended. */
export class Volume {
  readonly path: string;
  readonly warnings: string[] = [];
  readonly #base = mkdtempSync(join(tmpdir(), 'flash-cache-'));
  readonly #ends: (() => unknown)[] = [];
  #workers = 0;

  constructor() {
    this.path = join(this.#base, 'volume');
    mkdirSync(this.path);
  }

  get segments(): string {
    return join(this.path, '.cache/cache-test');
  }

  /** An empty cache directory. */
  newRoot(): string {
    const root = join(this.#base, `worker-${this.#workers++}/cache`);
    mkdirSync(root, { recursive: true });
    return root;
  }

  newCache(root: string, settings: Partial<Record<keyof VolumeCacheSettings, string>> = {}): TarSegmentCache {
    const cache = new TarSegmentCache({
      settings: volumeCacheSettingsSchema.parse({
        FLASH_CACHE_DIR: root,
        FLASH_VOLUME_DIR: this.path,
        ...settings,
      }),
      endpointId: 'test',
      log: {
        write: (level, message) => {
          if (level === 'warn') this.warnings.push(message);
        },
      },
    });
    this.#ends.push(() => cache.close());
    return cache;
  }

  /** A process of the cache, with a session open. */
  async newProcess(root: string, options: Partial<SessionOptions> = {}): Promise<CacheProcess> {
    const started = new CacheProcess((line) => this.warnings.push(line));
    this.#ends.push(() => started.kill());
    await started.ask('open', this.options(root, options));
    return started;
  }

  options(root: string, options: Partial<SessionOptions> = {}): SessionOptions {
    return {
      root,
      volume: this.path,
      endpointId: 'test',
      exclude: [],
      segmentBytes: 256 * 1024 * 1024,
      bigFileBytes: 64 * 1024 * 1024,
      compactAt: 16,
      graceMs: 600_000,
      maxBytes: 0,
      threads: 2,
      fullScanMs: 600_000,
      ...options,
    };
  }

  /** Makes the volume a file system of its own. @returns whether this machine lets us. */
  mount(sizeBytes: number): boolean {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes}`, 'flash-test', this.path], {
        stdio: 'ignore',
      });
    } catch {
      return false;
    }
    this.#ends.push(() => this.unmount());
    return true;
  }

  remount(how: 'ro' | 'rw'): void {
    execFileSync('mount', ['-o', `remount,${how}`, this.path]);
  }

  unmount(): void {
    try {
      execFileSync('umount', ['-l', this.path], { stdio: 'ignore' });
    } catch {
      // It is not mounted any more.
    }
  }

  async remove(): Promise<void> {
    for (const end of this.#ends.reverse()) await end();
    rmSync(this.#base, { recursive: true, force: true });
  }
}

export function put(root: string, path: string, content: string | Buffer): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}
