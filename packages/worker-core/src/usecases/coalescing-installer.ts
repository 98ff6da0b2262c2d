import { InstallError } from '../errors/install-error.ts';
import type { InstalledChange, Installer, InstallOptions } from '../ports/installer.ts';

interface SharedInstall {
  readonly end: Promise<readonly InstalledChange[]>;
  readonly abort: AbortController;
  readonly listeners: Set<(line: string) => void>;
  waiters: number;
}

/**
 * Wraps an installer so that identical installations at the same time run once, and different ones in turn: two installers
 * at work on one environment would trip over each other.
 */
export class CoalescingInstaller implements Installer {
  readonly #installer: Installer;
  readonly #shared = new Map<string, SharedInstall>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(installer: Installer) {
    this.#installer = installer;
  }

  missing(packages: readonly string[]): Promise<readonly string[]> {
    return this.#installer.missing(packages);
  }

  async install(packages: readonly string[], options: InstallOptions): Promise<readonly InstalledChange[]> {
    if (options.signal?.aborted) throw cancelled(packages);
    const key = JSON.stringify([options.accelerate, packages.toSorted()]);
    const known = this.#shared.get(key);
    if (known !== undefined)
      options.onLine?.('Another request is installing the same packages: waiting for it');
    const shared = known ?? this.#begin(key, packages, options.accelerate);
    return this.#join(shared, packages, options);
  }

  #begin(key: string, packages: readonly string[], accelerate: boolean): SharedInstall {
    const abort = new AbortController();
    const listeners = new Set<(line: string) => void>();
    const onLine = (line: string): void => {
      for (const listener of listeners) listener(line);
    };
    const end = this.#last.then(async () => {
      // The installation before this one may have brought them.
      const missing = await this.#installer.missing(packages);
      return missing.length > 0
        ? this.#installer.install(missing, { accelerate, onLine, signal: abort.signal })
        : [];
    });
    const shared: SharedInstall = { end, abort, listeners, waiters: 0 };
    this.#shared.set(key, shared);
    this.#last = end.then(
      () => this.#shared.delete(key),
      () => this.#shared.delete(key),
    );
    return shared;
  }

  /** One request's share: it may leave without the others losing their installation; the last one to leave ends it. */
  async #join(
    shared: SharedInstall,
    packages: readonly string[],
    options: InstallOptions,
  ): Promise<readonly InstalledChange[]> {
    const { onLine, signal } = options;
    const left = Promise.withResolvers<never>();
    const leave = (): void => left.reject(cancelled(packages));
    signal?.addEventListener('abort', leave, { once: true });
    if (onLine !== undefined) shared.listeners.add(onLine);
    shared.waiters++;
    try {
      return await Promise.race([shared.end, left.promise]);
    } finally {
      signal?.removeEventListener('abort', leave);
      if (onLine !== undefined) shared.listeners.delete(onLine);
      if (--shared.waiters === 0) shared.abort.abort();
    }
  }
}

function cancelled(packages: readonly string[]): InstallError {
  return new InstallError('CANCELLED', packages, `the installation of ${packages.join(', ')} was cancelled`);
}
