import type { AppError } from '../errors/app-error.ts';

/** Where an app is served, and how. */
export interface AppPlace {
  /** Address and port, as they are bound by the caller, who answers there whenever the app does not. */
  readonly host: string;
  readonly port: number;
  readonly isIpv6: boolean;
  /** The caller's socket lets others listen on the port too. Else it is let go of first: see {@link AppServerListener.releasePort}. */
  readonly isShared: boolean;
  /** Time an idle connection is kept, in milliseconds. */
  readonly keepAliveMs: number;
  /** Time that requests in flight have to finish when the server is closed, in milliseconds. */
  readonly drainMs: number;
}

/** Hears how the app is. None of these may throw. */
export interface AppServerListener {
  /** The app answers on the port from here on. */
  ready(): void;
  /** The app does not answer, for this reason; it is started again. */
  unavailable(error: AppError): void;
  /** The port can't be shared: resolves when the caller does not listen on it any more. */
  releasePort(): Promise<void>;
  /** Loading the app wanted for this top-level module. Resolves with whether it is there now. */
  missingModule(name: string): Promise<boolean>;
}

/** Serves the user's own web app in processes that bind the port themselves (docs/reference/protocol.md, Modes and Load-balancer entry). */
export interface AppServer {
  /**
   * Starts the app and keeps it running. Resolves after {@link close}.
   *
   * @throws AppError when it is given up.
   */
  serve(place: AppPlace, listener: AppServerListener): Promise<void>;
  /** Ends the app: no new requests, those in flight finish in their time, its shutdown runs. Resolves when all its processes are gone. */
  close(): Promise<void>;
}
