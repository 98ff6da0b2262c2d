/** One package an installation added, replaced or removed. */
export interface InstalledChange {
  readonly name: string;
  readonly version: string | undefined;
  /** The version it replaced; `undefined` when it was not there before. */
  readonly previousVersion: string | undefined;
  /** Top-level import names of a replaced package; empty for a new one. */
  readonly replacedModules: readonly string[];
}

export interface InstallOptions {
  /** Use the faster tool where there is one (uv, nala). */
  readonly accelerate: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Receives the installer's output line by line while it runs. Must not throw. */
  readonly onLine?: ((line: string) => void) | undefined;
}

/** Installs packages of one kind: Python distributions or system packages. */
export interface Installer {
  /**
   * Those of `packages` that are not installed yet. Looks at installed metadata only: no process, no network.
   *
   * @throws InstallError (`INVALID_SPECIFIER`) for a specifier that is not one, before anything is started.
   */
  missing(packages: readonly string[]): Promise<readonly string[]>;
  /**
   * Installs `packages` as one set, so that a contradiction between two of them is found when one is installed already, and promises them.
   * Identical calls at the same time share one installation.
   *
   * @param packages - all that a request asks for, not only what is missing.
   * @throws InstallError naming the package and the installer's reason; `CONFLICT` naming both sides when the set contradicts itself, or what
   * earlier requests were promised. Then nothing was replaced.
   */
  install(packages: readonly string[], options: InstallOptions): Promise<readonly InstalledChange[]>;
  /**
   * Records that a request runs with `packages`, all of which are installed: later installations keep them as they were asked for
   * (docs/decisions/0011-promised-requirements.md). Costs no process and no disk.
   */
  promise(packages: readonly string[]): void;
}
