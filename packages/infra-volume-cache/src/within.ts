/** What came of waiting. */
export type Waited<T> =
  | { readonly isLate: false; readonly value: T }
  | { readonly isLate: true; readonly value?: undefined };

/** Waits for something that never rejects, for so long at most; 0: without a bound. */
export async function within<T>(work: Promise<T>, timeoutMs: number): Promise<Waited<T>> {
  const done = work.then((value) => ({ isLate: false, value }) as const);
  if (timeoutMs === 0) return done;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Waited<T>>((resolve) => {
    timer = setTimeout(() => resolve({ isLate: true }), timeoutMs);
  });
  return Promise.race([done, late]).finally(() => clearTimeout(timer));
}
