/** Every failure the worker names. `code` is stable and meant for programs, `message` for the person who can act on it. */
export abstract class WorkerError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}
