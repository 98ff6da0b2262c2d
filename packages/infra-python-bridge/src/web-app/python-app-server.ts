import { setTimeout as delay } from 'node:timers/promises';
import {
  AppError,
  type AppPlace,
  type AppServer,
  type AppServerListener,
  type Log,
  type SecretRedactor,
} from '@flash/worker-core';
import { type AppExit, AppProcess } from './app-process.ts';
import { PortSteering } from './port-steering.ts';
import type { AppServerSettings } from './settings.ts';

export interface PythonAppServerOptions {
  /** Path of the Python interpreter that runs the app; it must have uvicorn. */
  readonly python: string;
  /** Environment of the app, without the worker's own secrets. */
  readonly env: NodeJS.ProcessEnv;
  /** Absolute path of the Python file that defines the app, and its name there. Asked when the app is about to be started. */
  readonly findApp: () => { readonly file: string; readonly variable: string };
  /** The interpreter's version must be this MAJOR.MINOR (`FLASH_PYTHON_VERSION`); any when left out. */
  readonly requiredVersion?: string | undefined;
  /** Part of the answer to `/ping` when the app has none. */
  readonly endpointId: string;
  /** Level of uvicorn's own log. */
  readonly logLevel: string;
  /** A load failure ends {@link PythonAppServer.serve} instead of being tried again. */
  readonly exitOnFailure: boolean;
  readonly settings: AppServerSettings;
  /** Keeps secrets out of what clients are told. */
  readonly redactor: SecretRedactor;
  readonly log: Log;
}

/** AppServer that runs uvicorn in processes of its own; a crash of the app is a crash of its process, which is started again. */
export class PythonAppServer implements AppServer {
  readonly #options: PythonAppServerOptions;
  readonly #processes = new Set<AppProcess>();
  readonly #closing = new AbortController();
  #steering: PortSteering<AppProcess> | undefined;
  #drainMs = 0;
  #crashes = 0;
  #served: Promise<unknown> = Promise.resolve();

  constructor(options: PythonAppServerOptions) {
    this.#options = options;
  }

  async serve(place: AppPlace, listener: AppServerListener): Promise<void> {
    this.#drainMs = place.drainMs;
    const { FLASH_APP_WORKERS: workers } = this.#options.settings;
    this.#steering = new PortSteering(place, workers > 1, listener);
    const slots = Array.from({ length: workers }, () => this.#keepServing(place, listener));
    this.#served = Promise.allSettled(slots);
    try {
      await Promise.all(slots);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const { FLASH_APP_KILL_MS: killMs } = this.#options.settings;
    for (const process of this.#processes) process.terminate();
    const kill = (which: (process: AppProcess) => boolean): void => {
      for (const process of this.#processes) if (which(process)) process.kill(killMs);
    };
    // An app that is still being loaded has nothing in flight.
    const killing = [
      setTimeout(() => kill(({ isServing }) => !isServing), killMs),
      setTimeout(() => kill(() => true), this.#drainMs + killMs),
    ];
    await this.#served;
    for (const timer of killing) clearTimeout(timer);
  }

  /** Keeps one process running. */
  async #keepServing(place: AppPlace, listener: AppServerListener): Promise<void> {
    const { signal } = this.#closing;
    for (let failures = 0; !signal.aborted; ) {
      const exit = await this.#runOnce(place);
      if (signal.aborted) return;
      const missing = exit.failure?.missing;
      if (missing !== undefined && (await listener.missingModule(missing))) continue;
      failures = this.#isStable(exit) ? 1 : failures + 1;
      const error = this.#judge(exit);
      if (this.#steering?.isEmpty) listener.unavailable(error);
      else this.#options.log.write('error', 'one of the app’s processes ended', { reason: error.message });
      await delay(this.#pauseMs(failures), undefined, { signal }).catch(() => {});
    }
  }

  async #runOnce(place: AppPlace): Promise<AppExit> {
    const { python, env, settings, log } = this.#options;
    const steering = this.#steering as PortSteering<AppProcess>;
    const process = new AppProcess(
      { python, env, log, config: this.#config(place), startTimeoutMs: settings.FLASH_APP_START_TIMEOUT_MS },
      {
        onLoaded: (loaded) => void steering.admit(loaded),
        onListening: (listening, told) => steering.joined(listening, told),
        onSteered: (steered, isSteered) => steering.steered(steered, isSteered),
      },
    );
    this.#processes.add(process);
    const exit = await process.exited;
    this.#processes.delete(process);
    steering.left(process);
    return exit;
  }

  #config(place: AppPlace): object {
    const { findApp, requiredVersion, endpointId, logLevel, settings } = this.#options;
    return {
      ...findApp(),
      required_version: requiredVersion ?? null,
      endpoint_id: endpointId,
      keep_alive_s: Math.ceil(place.keepAliveMs / 1000),
      drain_s: Math.max(1, Math.ceil(place.drainMs / 1000)),
      log_level: logLevel,
      access_log: settings.FLASH_APP_ACCESS_LOG,
    };
  }

  /** What an exit means. @throws AppError when the app is to be given up. */
  #judge({ failure, how, servedMs }: AppExit): AppError {
    const { exitOnFailure, findApp, redactor, settings } = this.#options;
    if (failure !== undefined) {
      // Secrets are taken out, as every client sees the text.
      const reason = redactor.redact(failure.reason);
      const error = new AppError(`the app in ${findApp().file} can't be started: ${reason}`);
      if (exitOnFailure || failure.isFinal) throw error;
      return error;
    }
    this.#crashes = servedMs >= settings.FLASH_APP_STABLE_MS ? 1 : this.#crashes + 1;
    const { FLASH_APP_MAX_CRASHES: most } = settings;
    const error = new AppError(`the app's process ended with ${how}; it is started again`);
    if (this.#crashes < most) return error;
    throw new AppError(
      `the app's process crashed ${most} times in a row, at last with ${how}: see its log above, or raise FLASH_APP_MAX_CRASHES`,
    );
  }

  #isStable({ servedMs }: AppExit): boolean {
    return servedMs >= this.#options.settings.FLASH_APP_STABLE_MS;
  }

  #pauseMs(failures: number): number {
    const { FLASH_APP_RESTART_MIN_MS: min, FLASH_APP_RESTART_MAX_MS: max } = this.#options.settings;
    return Math.min(max, min * 2 ** (failures - 1));
  }
}
