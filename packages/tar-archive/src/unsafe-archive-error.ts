/** An archive holds what must not be unpacked. The message names the member and what is wrong with it. */
export class UnsafeArchiveError extends Error {
  readonly member: string;

  constructor(member: string, reason: string) {
    super(`the archive is refused: member ${JSON.stringify(member.slice(0, 300))} ${reason}`);
    this.name = 'UnsafeArchiveError';
    this.member = member;
  }
}
