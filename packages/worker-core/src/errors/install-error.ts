import { WorkerError } from './worker-error.ts';

/** What went wrong with an installation, for programs. */
export type InstallFailure =
  | 'INVALID_SPECIFIER'
  | 'NOT_FOUND'
  /** No set of versions meets all requirements: of the request itself, or together with what earlier requests were promised. */
  | 'CONFLICT'
  | 'COMPILER_MISSING'
  | 'TIMED_OUT'
  | 'CANCELLED'
  | 'TOOL_MISSING'
  | 'FAILED';

/** Packages could not be installed. The message names them and gives the installer's own reason. */
export class InstallError extends WorkerError {
  readonly code = 'INSTALL';
  readonly failure: InstallFailure;
  readonly packages: readonly string[];

  constructor(failure: InstallFailure, packages: readonly string[], message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
    this.packages = packages;
  }
}
