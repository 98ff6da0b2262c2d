/** The outcome of {@link within}. */
export type Waited<T> =
  | { readonly isLate: false; readonly value: T }
  | { readonly isLate: true; readonly value?: undefined };

/** Waits for a promise that never rejects, for `timeoutMs` at most; 0: without a bound. */
export async function within<T>(work: Promise<T>, timeoutMs: number): Promise<Waited<T>> {
  const done = work.then((value) => ({ isLate: false, value }) as const);
  if (timeoutMs === 0) return done;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Waited<T>>((resolve) => {
    timer = setTimeout(() => resolve({ isLate: true }), timeoutMs);
  });
  return Promise.race([done, late]).finally(() => clearTimeout(timer));
}
