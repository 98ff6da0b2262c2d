/** One rule of a port that every implementation keeps. `run` rejects when it is broken. */
export interface ContractCase {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** Throws when `condition` does not hold. */
export function ensure(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`contract broken: ${what}`);
}

/** Resolves with what `promise` rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('contract broken: it should have been rejected');
}
