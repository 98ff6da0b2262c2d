import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { gateway, type JobName } from './gateway-client.ts';

const everyMs = 300;
/** Text that the page keeps; the gateway keeps more. */
const mostShown = 200_000;

/** What a job prints, as it prints it. */
export function JobLog({ id, endpoint }: JobName): JSX.Element {
  const [text, setText] = useState('');
  const [problem, setProblem] = useState('');
  const box = useRef<HTMLPreElement>(null);
  const isAtEnd = useRef(true);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let isOver = false;
    const look = async (after: number): Promise<void> => {
      let next = after;
      let isFinal = false;
      try {
        const part = await gateway.log({ id, endpoint }, after);
        if (isOver) return;
        ({ next, isFinal } = part);
        if (part.text !== '') setText((shown) => (shown + part.text).slice(-mostShown));
        setProblem('');
      } catch (error) {
        if (!isOver) setProblem(`its log can't be had: ${(error as Error).message}`);
      }
      if (!isOver && !isFinal) timer = setTimeout(look, everyMs, next);
    };
    void look(0);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [id, endpoint]);
  useLayoutEffect(() => {
    if (box.current !== null && isAtEnd.current) box.current.scrollTop = box.current.scrollHeight;
  }, [text]);

  return (
    <>
      <h3 id="log-title">Log</h3>
      <pre
        ref={box}
        class="log"
        role="log"
        aria-labelledby="log-title"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys
        tabIndex={0}
        onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) => {
          isAtEnd.current = scrollTop + clientHeight >= scrollHeight - 8;
        }}
      >
        {text}
      </pre>
      <p role="alert">{problem}</p>
    </>
  );
}
