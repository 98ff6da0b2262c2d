import { InstallError } from '../errors/install-error.ts';
import type { InstalledChange, Installer } from '../ports/installer.ts';

/** The packages one request wants. */
export interface WantedPackages {
  readonly dependencies: readonly string[];
  readonly systemDependencies: readonly string[];
  readonly accelerateDownloads: boolean;
}

interface Progress {
  readonly onLine: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

const compilerPackage = 'build-essential';

/** Makes sure that a request's packages are installed before it runs (contract, section 1). */
export class InstallDependencies {
  readonly #python: Installer;
  readonly #system: Installer;

  constructor(python: Installer, system: Installer) {
    this.#python = python;
    this.#system = system;
  }

  /**
   * Installs what is missing. With accelerated downloads system and Python packages go side by side, else system first.
   *
   * @returns the Python packages that changed; empty when everything was there.
   * @throws InstallError naming the packages and the reason.
   */
  async install(wanted: WantedPackages, progress: Progress): Promise<readonly InstalledChange[]> {
    // Both lists are checked before anything is started: a bad specifier leaves nothing half done.
    const [missingSystem, missingPython] = await Promise.all([
      this.#system.missing(wanted.systemDependencies),
      this.#python.missing(wanted.dependencies),
    ]);
    const system = () => this.#installSystem(missingSystem, wanted, progress);
    const python = () => this.#installPython(missingPython, wanted, progress);
    if (!wanted.accelerateDownloads) {
      await system();
      return python();
    }
    // Both run to their end, so that no installer is left behind when the other one fails.
    const [systemEnd, pythonEnd] = await Promise.allSettled([system(), python()]);
    if (pythonEnd.status === 'rejected') {
      // A build that needed a header of the system package may have been too early: once more, now that it is there.
      if (systemEnd.status === 'fulfilled' && missingSystem.length > 0 && isRepeatable(pythonEnd.reason)) {
        progress.onLine('Trying the Python packages again, now that the system packages are installed');
        return python();
      }
      throw pythonEnd.reason;
    }
    if (systemEnd.status === 'rejected') throw systemEnd.reason;
    return pythonEnd.value;
  }

  async #installSystem(
    missing: readonly string[],
    wanted: WantedPackages,
    progress: Progress,
  ): Promise<void> {
    if (missing.length === 0) return;
    progress.onLine(`Installing system packages: ${missing.join(', ')}`);
    await this.#system.install(missing, { accelerate: wanted.accelerateDownloads, ...progress });
  }

  async #installPython(
    missing: readonly string[],
    wanted: WantedPackages,
    progress: Progress,
  ): Promise<readonly InstalledChange[]> {
    if (missing.length === 0) return [];
    progress.onLine(`Installing Python packages: ${missing.join(', ')}`);
    const options = { accelerate: wanted.accelerateDownloads, ...progress };
    try {
      return await this.#python.install(missing, options);
    } catch (error) {
      if (!(error instanceof InstallError) || error.failure !== 'COMPILER_MISSING') throw error;
      progress.onLine(`A package must be compiled and no compiler is there: installing ${compilerPackage}`);
      await this.#system.install([compilerPackage], options);
      return this.#python.install(missing, options);
    }
  }
}

function isRepeatable(error: unknown): boolean {
  return error instanceof InstallError && error.failure === 'FAILED';
}
