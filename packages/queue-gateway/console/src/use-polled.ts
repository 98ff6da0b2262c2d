import { useEffect, useState } from 'preact/hooks';

/** The last answer, and the error of a later question. */
export interface Polled<T> {
  readonly value: T | undefined;
  readonly error: string | undefined;
}

const hiddenMs = 10_000;

/** Asks again and again, seldom while the page is hidden. A question waits for the answer to the one before. */
export function usePolled<T>(ask: () => Promise<T>, everyMs: number): Polled<T> {
  const [polled, setPolled] = useState<Polled<T>>({ value: undefined, error: undefined });
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let isOver = false;
    const look = async (): Promise<void> => {
      clearTimeout(timer);
      try {
        const value = await ask();
        if (!isOver) setPolled({ value, error: undefined });
      } catch (error) {
        if (!isOver) setPolled(({ value }) => ({ value, error: (error as Error).message }));
      }
      if (!isOver) timer = setTimeout(look, document.visibilityState === 'hidden' ? hiddenMs : everyMs);
    };
    const onVisible = (): void => {
      clearTimeout(timer);
      timer = setTimeout(look, 0);
    };
    document.addEventListener('visibilitychange', onVisible);
    void look();
    return () => {
      isOver = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onVisible);
    };
  }, [ask, everyMs]);
  return polled;
}
