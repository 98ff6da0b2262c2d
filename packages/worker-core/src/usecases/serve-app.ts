import { AppError } from '../errors/app-error.ts';
import type { AppPlace, AppServer } from '../ports/app-server.ts';
import type { Log } from '../ports/log.ts';
import type { InstallMissingModule } from './install-missing-module.ts';

/** Who answers on the app's port when the app does not. */
export interface FrontDoor {
  /** The app answers from here on. */
  appReady(): void;
  /** Answer with this reason. */
  appUnavailable(error: Error): void;
  /** Resolves when the port is free. */
  releasePort(): Promise<void>;
}

export interface ServeAppDependencies {
  readonly server: AppServer;
  readonly installMissingModule: InstallMissingModule;
  readonly log: Log;
  /** What of the app's files is missing, in words for a person; asked when the app can't be served. */
  readonly missingFile?: (() => string | undefined) | undefined;
}

/** Serves the user's own web app (docs/reference/protocol.md, Modes and Load-balancer entry). */
export class ServeApp {
  readonly #dependencies: ServeAppDependencies;
  readonly #tried = new Set<string>();

  constructor(dependencies: ServeAppDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Serves until {@link close}; a package that loading the app wants for is installed.
   *
   * @throws AppError when the app is given up.
   */
  async serve(place: AppPlace, door: FrontDoor): Promise<void> {
    const { server, log } = this.#dependencies;
    const serving = server.serve(place, {
      ready: () => {
        log.write('info', 'the app is ready');
        door.appReady();
      },
      unavailable: (given: AppError) => {
        const error = this.#explain(given);
        log.write('error', 'the app can’t be served for now', { reason: error.message });
        door.appUnavailable(error);
      },
      releasePort: () => door.releasePort(),
      missingModule: (name) => this.#install(name),
    });
    await serving.catch((error: unknown) => {
      throw error instanceof AppError ? this.#explain(error) : error;
    });
  }

  /** Ends the app, its requests in flight first. */
  close(): Promise<void> {
    return this.#dependencies.server.close();
  }

  /** A file that is not there is the cause, whatever came of it. */
  #explain(error: AppError): AppError {
    const missing = this.#dependencies.missingFile?.();
    return missing === undefined ? error : new AppError(missing, { cause: error });
  }

  async #install(module: string): Promise<boolean> {
    const { installMissingModule, log } = this.#dependencies;
    // The package of the module's name was installed and does not have the module.
    if (this.#tried.has(module)) return false;
    this.#tried.add(module);
    const end = await installMissingModule.install(module, (line) => log.write('info', line));
    if (!end.installed)
      log.write('warn', 'a package of the app could not be installed', { module, reason: end.reason });
    return end.installed;
  }
}
