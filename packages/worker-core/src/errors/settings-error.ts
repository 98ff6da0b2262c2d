import { WorkerError } from './worker-error.ts';

/** A setting (environment variable or flag) has a value that can't be used; the message names it. */
export class SettingsError extends WorkerError {
  readonly code = 'SETTINGS';
}
