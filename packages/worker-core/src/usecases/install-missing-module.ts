import { InstallError } from '../errors/install-error.ts';
import type { Executor } from '../ports/executor.ts';
import type { InstallDependencies } from './install-dependencies.ts';

/** Packages that are installed for one handler, at most (docs/reference/protocol.md, Modes). */
const mostModules = 3;

export type MissingModuleEnd =
  | { readonly installed: true }
  /** Why the module stays missing. */
  | { readonly installed: false; readonly reason: string };

/** Installs what a handler could not import, by the name of its module, for a bounded number of modules. */
export class InstallMissingModule {
  readonly #installDependencies: InstallDependencies;
  readonly #executor: Executor;
  /** Modules that were tried, with what came of each: jobs that miss the same one at once share it. */
  readonly #tried = new Map<string, Promise<MissingModuleEnd>>();

  constructor(installDependencies: InstallDependencies, executor: Executor) {
    this.#installDependencies = installDependencies;
    this.#executor = executor;
  }

  install(module: string, onLine: (line: string) => void): Promise<MissingModuleEnd> {
    const tried = this.#tried.get(module);
    if (tried !== undefined) return tried;
    if (this.#tried.size >= mostModules) {
      const names = [...this.#tried.keys()].join(', ');
      return Promise.resolve({
        installed: false,
        reason: `${mostModules} packages were installed for it already (${names}): list what it needs in the app's dependencies`,
      });
    }
    const end = this.#install(module, onLine);
    this.#tried.set(module, end);
    return end;
  }

  async #install(module: string, onLine: (line: string) => void): Promise<MissingModuleEnd> {
    onLine(`The handler needs the module ${module}, which is not installed: trying a package of that name`);
    const wanted = { dependencies: [module], systemDependencies: [], accelerateDownloads: true };
    try {
      const changes = await this.#installDependencies.install(wanted, { onLine });
      await this.#executor.packagesChanged(changes);
      return { installed: true };
    } catch (error) {
      if (!(error instanceof InstallError)) throw error;
      return { installed: false, reason: error.message };
    }
  }
}
