import { InstallError } from '../errors/install-error.ts';
import type { InstalledChange, Installer, InstallOptions } from '../ports/installer.ts';
import { SharedWork, type WorkContext } from './shared-work.ts';

/**
 * Wraps an installer so that identical installations at the same time run once, and different ones in turn: two installers
 * at work on one environment would trip over each other.
 */
export class CoalescingInstaller implements Installer {
  readonly #installer: Installer;
  readonly #shared = new SharedWork<readonly InstalledChange[]>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(installer: Installer) {
    this.#installer = installer;
  }

  missing(packages: readonly string[]): Promise<readonly string[]> {
    return this.#installer.missing(packages);
  }

  promise(packages: readonly string[]): void {
    this.#installer.promise(packages);
  }

  async install(packages: readonly string[], options: InstallOptions): Promise<readonly InstalledChange[]> {
    const { accelerate, onLine, signal } = options;
    const key = JSON.stringify([accelerate, packages.toSorted()]);
    if (this.#shared.isUnderWay(key) && !signal?.aborted)
      onLine?.('Another request is installing the same packages: waiting for it');
    return this.#shared.join(
      key,
      { signal, onLine },
      () => cancelled(packages),
      (context) => this.#inTurn(packages, accelerate, context),
    );
  }

  #inTurn(
    packages: readonly string[],
    accelerate: boolean,
    context: WorkContext,
  ): Promise<readonly InstalledChange[]> {
    const end = this.#last.then(async () => {
      // The installation before this one may have brought them.
      const missing = await this.#installer.missing(packages);
      if (missing.length > 0) return this.#installer.install(packages, { accelerate, ...context });
      this.#installer.promise(packages);
      return [];
    });
    this.#last = end.catch(() => {});
    return end;
  }
}

function cancelled(packages: readonly string[]): InstallError {
  return new InstallError('CANCELLED', packages, `the installation of ${packages.join(', ')} was cancelled`);
}
