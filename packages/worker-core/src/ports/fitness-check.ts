/** One thing this machine must have to serve (docs/reference/protocol.md, Ping). */
export interface FitnessCheck {
  /** Short and stable, such as "memory"; the platform gets it as `check`. */
  readonly name: string;
  /** Resolves when all is well; rejects with UnfitError when the worker can't serve. */
  check(signal: AbortSignal): Promise<void>;
}
