import { InvalidRequestError } from '../errors/invalid-request-error.ts';
import type { EndpointRouter, RemoteEndpoint } from '../ports/endpoint-router.ts';
import { functionCallFrom } from '../protocol/decode-function-call.ts';
import type { FunctionRequestInput } from '../protocol/function-request.ts';
import { type ContractCase, ensure, rejection } from './contract-case.ts';
import type { FakeRemoteFunction } from './fake-endpoint-router.ts';

/** The functions that the contract calls at another endpoint. */
export const contractRemoteFunctions: Readonly<Record<string, FakeRemoteFunction>> = {
  add: ({ a, b }) => Number(a) + Number(b),
  fail: () => {
    throw new Error('it broke over there');
  },
};

/** A router, and endpoints that have {@link contractRemoteFunctions}. */
export interface RouterUnderTest {
  readonly router: EndpointRouter;
  endpoint(form: 'function-request' | 'queue', functionName: string): RemoteEndpoint;
  close(): Promise<void>;
}

/** What every EndpointRouter does. */
export function endpointRouterContract(make: () => Promise<RouterUnderTest>): ContractCase[] {
  const check = (name: string, body: (run: Run) => Promise<void>): ContractCase => ({
    name,
    run: async () => {
      const { router, endpoint, close } = await make();
      try {
        await body((form, name, request, signal) => {
          const call = functionCallFrom({ function_name: name, serialization_format: 'json', ...request });
          return router.call(endpoint(form, name), call, { signal });
        });
      } finally {
        await router.close();
        await close();
      }
    },
  });
  const add = { kwargs: { a: 2, b: 3 } };
  return [
    ...(['function-request', 'queue'] as const).flatMap((form) => [
      check(`brings back what a function returned (${form})`, async (run) => {
        const { success, result, error } = await run(form, 'add', add);
        ensure(success && error === undefined, `it failed: ${error}`);
        ensure(
          result?.format === 'json' && new TextDecoder().decode(result.json) === '5',
          'the result is not 5',
        );
      }),
      check(`brings back why a function failed (${form})`, async (run) => {
        const { success, error } = await run(form, 'fail', {});
        ensure(!success && (error ?? '').includes('it broke over there'), `it said: ${error}`);
      }),
    ]),
    check('refuses what the endpoint’s form can’t say', async (run) => {
      const error = await rejection(run('queue', 'add', { args: [1, 2] }));
      ensure(error instanceof InvalidRequestError, `it threw ${error}`);
    }),
    check('lets go of a call that is cancelled, and says so', async (run) => {
      const { success, error } = await run('queue', 'add', add, AbortSignal.abort());
      ensure(!success && (error ?? '').includes('cancelled'), `it said: ${error}`);
    }),
  ];
}

type Run = (
  form: 'function-request' | 'queue',
  functionName: string,
  request: Partial<FunctionRequestInput>,
  signal?: AbortSignal,
) => ReturnType<EndpointRouter['call']>;
