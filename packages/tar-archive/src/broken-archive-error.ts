/** What an archive may have so much of, and not more. */
export type ArchiveBound = 'bytes' | 'memory';

/** An archive can't be read: it is no tar archive, not whole, or larger than allowed. */
export class BrokenArchiveError extends Error {
  /** The bound that it exceeds, if that is what is wrong with it. */
  readonly bound: ArchiveBound | undefined;

  constructor(reason: string, { bound, cause }: { bound?: ArchiveBound; cause?: unknown } = {}) {
    super(`the archive can't be read: ${reason}`, { cause });
    this.name = 'BrokenArchiveError';
    this.bound = bound;
  }
}
