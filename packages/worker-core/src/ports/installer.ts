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
   * Installs `packages`. Identical calls at the same time share one installation.
   *
   * @throws InstallError naming the package and the installer's reason.
   */
  install(packages: readonly string[], options: InstallOptions): Promise<readonly InstalledChange[]>;
}
