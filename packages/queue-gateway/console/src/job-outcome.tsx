import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { gateway, type JobName, type JobResult } from './gateway-client.ts';
import { Scrolled } from './scrolled.tsx';

/** Text of a result that is shown; clients get all of it. */
const mostShown = 20_000;

/** The result or error of a job that has ended. */
export function JobOutcome({ id, endpoint }: JobName): JSX.Element {
  const [result, setResult] = useState<JobResult>({});
  useEffect(() => {
    let isOver = false;
    gateway
      .result({ id, endpoint })
      .catch((error: Error): JobResult => ({ error: error.message }))
      .then((found) => {
        if (!isOver) setResult(found);
      });
    return () => {
      isOver = true;
    };
  }, [id, endpoint]);
  return (
    <>
      {result.error === undefined ? '' : <Text title="Error" text={result.error} />}
      {result.output === undefined ? '' : <Text title="Result" text={textOf(result.output)} />}
    </>
  );
}

function Text({ title, text }: { title: string; text: string }): JSX.Element {
  const left = text.length - mostShown;
  return (
    <>
      <h3>{title}</h3>
      <Scrolled label={title}>
        <pre class="log">
          {left > 0 ? `${text.slice(0, mostShown)}\n[… ${left} more characters …]` : text}
        </pre>
      </Scrolled>
    </>
  );
}

/** The return value in a FunctionResponse; the whole response when the value is no JSON. */
function textOf(output: unknown): string {
  const response = output as { json_result?: unknown; success?: boolean; result?: unknown } | null;
  const isJson =
    typeof response === 'object' &&
    response?.success === true &&
    'json_result' in response &&
    !response.result;
  return JSON.stringify(isJson ? response.json_result : output, undefined, 2);
}
