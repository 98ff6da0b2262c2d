import { WorkerClosedError } from '../errors/worker-closed-error.ts';
import type { Environment } from '../ports/environments.ts';
import type { Execution, Executor, RunOptions } from '../ports/executor.ts';
import type { RunnerReport } from '../ports/runner-report.ts';
import { functionCallFrom } from '../protocol/decode-function-call.ts';
import { type ContractCase, ensure, rejection } from './contract-case.ts';
import type { FakeFunction } from './fake-executor.ts';

/** The functions the contract calls, in Python and for {@link FakeExecutor}. */
export const contractFunctions: Readonly<
  Record<string, { readonly python: string; readonly fake: FakeFunction }>
> = {
  add: { python: 'def add(a, b):\n    return a + b', fake: ({ args }) => Number(args[0]) + Number(args[1]) },
  greet: {
    python: 'def greet(name):\n    print("hello", name)\n    return name',
    fake: ({ kwargs, print }) => {
      print(`hello ${kwargs.name}\n`);
      return kwargs.name;
    },
  },
  fail: {
    python: 'def fail():\n    raise ValueError("it broke")',
    fake: () => {
      throw new Error('it broke');
    },
  },
  forever: {
    python: 'def forever():\n    while True: pass',
    fake: ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(null))),
  },
};

/**
 * What every Executor does.
 *
 * @param python - interpreter of the environments that it is asked to run in.
 */
export function executorContract(make: () => Promise<Executor>, python = 'python3'): ContractCase[] {
  const environment: Environment = { id: 'contract', python, variables: {} };
  const check = (name: string, body: (run: Run, executor: Executor) => Promise<void>): ContractCase => ({
    name,
    run: async () => {
      const executor = await make();
      try {
        await body(
          (call, input, options) => executor.run(callOf(call, input), { requestId: 'contract', ...options }),
          executor,
        );
      } finally {
        await executor.close();
      }
    },
  });
  return [
    check('returns what the function returned', async (run) => {
      const { end, result, error, output } = await run('add', { args: [2, 3] });
      ensure(end === 'returned' && error === undefined, `it ended as ${end}: ${error}`);
      ensure(
        result?.format === 'json' && new TextDecoder().decode(result.json) === '5',
        'the result is not 5',
      );
      ensure(output === '', `there is output: ${output}`);
    }),
    check('hands over what the function printed, as it is printed and with the result', async (run) => {
      const seen: string[] = [];
      const { output } = await run(
        'greet',
        { kwargs: { name: 'Ada' } },
        { onOutput: (bytes) => seen.push(new TextDecoder().decode(bytes)) },
      );
      ensure(output === 'hello Ada\n', `the output is ${JSON.stringify(output)}`);
      ensure(seen.join('') === output, `seen live: ${JSON.stringify(seen)}`);
    }),
    check('makes an exception of the function an outcome with its message', async (run) => {
      const { end, error } = await run('fail', {});
      ensure(end === 'raised' && (error ?? '').startsWith('it broke\n'), `${end}: ${error}`);
    }),
    check('ends a run when its signal aborts', async (run) => {
      const { end, error } = await run('forever', {}, { signal: AbortSignal.timeout(100) });
      ensure(end === 'cancelled' && error !== undefined && error !== '', `${end}: ${error}`);
    }),
    check('does not start a run whose signal has aborted before', async (run) => {
      const { end } = await run('forever', {}, { signal: AbortSignal.abort() });
      ensure(end === 'cancelled', end);
    }),
    check('ends a run that takes longer than its time', async (run) => {
      const { end, error } = await run('forever', {}, { timeoutMs: 100 });
      ensure(end === 'timed-out' && (error ?? '').includes('100 ms'), `${end}: ${error}`);
    }),
    check('runs several calls at once and mixes nothing up', async (run) => {
      const names = Array.from({ length: 8 }, (_, index) => `caller ${index}`);
      const all = await Promise.all(names.map((name) => run('greet', { kwargs: { name } })));
      const outputs = all.map(({ output }) => output);
      ensure(outputs.join('') === names.map((name) => `hello ${name}\n`).join(''), JSON.stringify(outputs));
    }),
    check('runs in an environment, and lets go of it only when nothing runs there', async (run, executor) => {
      await executor.start(environment);
      await executor.warm(environment);
      const abort = new AbortController();
      const forever = run('forever', {}, { environment, signal: abort.signal });
      const { end } = await run('add', { args: [1, 2] }, { environment });
      ensure(end === 'returned', end);
      ensure(!(await executor.closeEnvironment(environment.id)), 'something runs there');
      abort.abort();
      ensure((await forever).end === 'cancelled', 'it goes on until it is cancelled');
      ensure(await executor.closeEnvironment(environment.id), 'nothing runs there');
      ensure(await executor.closeEnvironment('unknown'), 'nothing runs where nothing ever ran');
      const again = await run('add', { args: [1, 2] }, { environment });
      ensure(again.end === 'returned', 'it is brought up again when it is needed');
    }),
    check('says which runner a request is at work in', async (run, executor) => {
      const abort = new AbortController();
      const forever = run('forever', {}, { requestId: 'the-one', signal: abort.signal });
      let busy = await busyWith(executor, 'the-one');
      for (let look = 0; look < 3000 && busy === undefined; look++) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        busy = await busyWith(executor, 'the-one');
      }
      ensure(
        busy?.state === 'busy',
        `no runner is busy with it: ${JSON.stringify(await executor.runners())}`,
      );
      abort.abort();
      await forever;
      ensure((await busyWith(executor, 'the-one')) === undefined, 'it is still said to be at work');
    }),
    check('takes nothing after it was closed', async (run, executor) => {
      await executor.close();
      ensure(
        (await rejection(run('add', { args: [1, 2] }))) instanceof WorkerClosedError,
        'no WorkerClosedError',
      );
    }),
  ];
}

async function busyWith(executor: Executor, requestId: string): Promise<RunnerReport | undefined> {
  return (await executor.runners()).find(({ requestIds }) => requestIds.includes(requestId));
}

type Run = (
  name: string,
  input: { args?: unknown[]; kwargs?: Record<string, unknown> },
  options?: Partial<RunOptions>,
) => Promise<Execution>;

function callOf(name: string, input: object): ReturnType<typeof functionCallFrom> {
  const code = contractFunctions[name]?.python;
  return functionCallFrom({
    function_name: name,
    function_code: code,
    serialization_format: 'json',
    ...input,
  });
}
