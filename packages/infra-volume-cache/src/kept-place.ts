/** A directory, and the name it is kept under. */
export interface KeptPlace {
  readonly name: string;
  readonly directory: string;
  /** Globs of paths that come before all others. */
  readonly first?: readonly string[];
}
