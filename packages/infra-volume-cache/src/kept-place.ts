/** How far a directory has come: what was named as the first part is there; all but what was named as the last is. */
export type FetchStage = 'first' | 'usable';

/** A directory, and the name it is kept under. */
export interface KeptPlace {
  readonly name: string;
  readonly directory: string;
  /** Globs of paths that come before all others. */
  readonly first?: readonly string[];
  /** Globs of paths that come after all others. */
  readonly last?: readonly string[];
}
