/** How far a directory has come. `first`: the files of `KeptPlace.first` are there; `usable`: all but those of `KeptPlace.last`. */
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
