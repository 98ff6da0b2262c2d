import { InstallError } from '../errors/install-error.ts';
import type { EnvironmentLease, Environments } from '../ports/environments.ts';
import type { InstalledChange, Installer } from '../ports/installer.ts';
import type { VolumeCache } from '../ports/volume-cache.ts';

/** The packages one request wants. */
export interface WantedPackages {
  readonly dependencies: readonly string[];
  readonly systemDependencies: readonly string[];
  readonly accelerateDownloads: boolean;
}

/** The outcome of preparing a request's packages. */
export interface PreparedPackages {
  /** Python packages that changed in the base interpreter; empty when everything was there. */
  readonly changes: readonly InstalledChange[];
  /** Where the request is to run; `undefined`: in the base interpreter. To be released after the run. */
  readonly lease: EnvironmentLease | undefined;
}

interface Progress {
  readonly onLine: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface InstallDependenciesPorts {
  readonly python: Installer;
  readonly system: Installer;
  /** Environments for each set of Python packages; without them packages go into the base interpreter. */
  readonly environments?: Environments | undefined;
  /** Brings what package tools have downloaded before, when something is to be installed. */
  readonly volumeCache: VolumeCache;
}

const compilerPackage = 'build-essential';

/** Makes sure that a request's packages are installed before it runs (docs/reference/protocol.md, FunctionRequest). */
export class InstallDependencies {
  readonly #ports: InstallDependenciesPorts;

  constructor(ports: InstallDependenciesPorts) {
    this.#ports = ports;
  }

  /**
   * Brings a request's packages to where it will run: an environment of its own where there are such, else the base interpreter.
   *
   * @throws InstallError naming the packages and the reason; WorkerBusyError when there is no room for one more environment.
   */
  async prepare(wanted: WantedPackages, progress: Progress): Promise<PreparedPackages> {
    const { environments, system } = this.#ports;
    if (environments === undefined || wanted.dependencies.length === 0)
      return { changes: await this.install(wanted, progress), lease: undefined };
    const missingSystem = await system.missing(wanted.systemDependencies);
    const options = { accelerate: wanted.accelerateDownloads, ...progress };
    const lease = await this.#both(missingSystem, wanted, progress, () =>
      this.#withCompiler(() => environments.acquire(wanted.dependencies, options), wanted, progress),
    );
    return { changes: [], lease };
  }

  /**
   * Installs in the base interpreter all that a request asks for, when something of it is missing. With accelerated downloads system and Python packages go side by side, else system
   * first.
   *
   * @returns the Python packages that changed; empty when everything was there.
   * @throws InstallError naming the packages and the reason.
   */
  async install(wanted: WantedPackages, progress: Progress): Promise<readonly InstalledChange[]> {
    const { python, system } = this.#ports;
    // Both lists are checked before anything is started: a bad specifier leaves nothing half done.
    const [missingSystem, missingPython] = await Promise.all([
      system.missing(wanted.systemDependencies),
      python.missing(wanted.dependencies),
    ]);
    const options = { accelerate: wanted.accelerateDownloads, ...progress };
    return this.#both(missingSystem, wanted, progress, async () => {
      if (missingPython.length === 0) {
        python.promise(wanted.dependencies);
        return [];
      }
      await this.#ports.volumeCache.hydrate(progress.onLine, 'packages');
      progress.onLine(`Installing Python packages: ${missingPython.join(', ')}`);
      return this.#withCompiler(() => python.install(wanted.dependencies, options), wanted, progress);
    });
  }

  /** @throws what the system packages end with, or else what `python` does. */
  async #both<T>(
    missingSystem: readonly string[],
    wanted: WantedPackages,
    progress: Progress,
    python: () => Promise<T>,
  ): Promise<T> {
    const system = () => this.#installSystem(missingSystem, wanted, progress);
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
    const { system } = this.#ports;
    if (missing.length === 0) {
      system.promise(wanted.systemDependencies);
      return;
    }
    await this.#ports.volumeCache.hydrate(progress.onLine, 'packages');
    progress.onLine(`Installing system packages: ${missing.join(', ')}`);
    const options = { accelerate: wanted.accelerateDownloads, ...progress };
    await system.install(wanted.systemDependencies, options);
  }

  /** Does the work once more with a compiler, when it failed for want of one. */
  async #withCompiler<T>(
    work: () => Promise<T>,
    { accelerateDownloads: accelerate }: WantedPackages,
    progress: Progress,
  ): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof InstallError) || error.failure !== 'COMPILER_MISSING') throw error;
      progress.onLine(`A package must be compiled and no compiler is there: installing ${compilerPackage}`);
      await this.#ports.system.install([compilerPackage], { accelerate, ...progress });
      return work();
    }
  }
}

function isRepeatable(error: unknown): boolean {
  return error instanceof InstallError && error.failure === 'FAILED';
}
