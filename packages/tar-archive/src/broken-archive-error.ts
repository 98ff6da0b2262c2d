/** An archive can't be read: it is no tar archive, or not whole. */
export class BrokenArchiveError extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(`the archive can't be read: ${reason}`, options);
    this.name = 'BrokenArchiveError';
  }
}
