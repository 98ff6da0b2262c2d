import {
  functionCallFrom,
  type FunctionRequestInput,
  InvalidRequestError,
  type RemoteCallOptions,
  type RemoteEndpoint,
} from '@flash/worker-core';
import { contractRemoteFunctions, endpointRouterContract } from '@flash/worker-core/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { endpointRouterSettingsSchema, RunpodEndpointRouter } from '../src/endpoint-router/index.ts';
import { RemoteEndpoints, reply } from './remote-endpoints.ts';

const key = 'the-users-key-nobody-may-see';

describe('RunpodEndpointRouter keeps the contract of EndpointRouter', () => {
  const cases = endpointRouterContract(async () => {
    const remote = await RemoteEndpoints.open(({ path, body }, response) => {
      const { input } = body as { input: Record<string, unknown> };
      const isQueue = path.endsWith('/runsync');
      const name = isQueue ? path.split('/')[1] : String(input.function_name);
      try {
        const value = contractRemoteFunctions[name ?? '']?.(
          (isQueue ? input : input.kwargs) as Record<string, unknown>,
        );
        const output = isQueue ? value : { success: true, json_result: value };
        reply(response, { id: '1', status: 'COMPLETED', output });
      } catch (error) {
        const { message } = error as Error;
        if (isQueue) reply(response, { id: '1', status: 'FAILED', error: message });
        else reply(response, { id: '1', status: 'COMPLETED', output: { success: false, error: message } });
      }
    });
    return {
      router: new RunpodEndpointRouter(endpointRouterSettingsSchema.parse({})),
      endpoint: (form, name) => ({
        form,
        resource: 'there',
        url: `${remote.url}/${name}`,
        takesMethod: false,
      }),
      close: () => remote.close(),
    };
  });
  for (const { name, run } of cases) it(name, run);
});

describe('RunpodEndpointRouter', () => {
  let remote: RemoteEndpoints;
  let router: RunpodEndpointRouter;
  beforeEach(async () => {
    remote = await RemoteEndpoints.open((_, response) =>
      reply(response, { id: 'j', status: 'COMPLETED', output: 7 }),
    );
    open();
  });
  afterEach(async () => {
    await router.close();
    await remote.close();
  });
  function open(settings: Record<string, unknown> = {}): void {
    router = new RunpodEndpointRouter(
      endpointRouterSettingsSchema.parse({
        RUNPOD_API_KEY: key,
        RUNPOD_ENDPOINT_BASE_URL: `${remote.url}/v2`,
        FLASH_REMOTE_POLL_MS: 20,
        ...settings,
      }),
    );
  }
  const call = (
    endpoint: Partial<RemoteEndpoint> & { form: RemoteEndpoint['form'] },
    request: FunctionRequestInput = {},
    options: RemoteCallOptions = {},
  ) =>
    router.call(
      { resource: 'there', url: `${remote.url}/v2/ep`, takesMethod: false, ...endpoint } as RemoteEndpoint,
      functionCallFrom({ function_name: 'f', serialization_format: 'json', ...request }),
      options,
    );
  const result = async (...args: Parameters<typeof call>) => {
    const parts = await call(...args);
    const json = parts.result?.format === 'json' ? new TextDecoder().decode(parts.result.json) : undefined;
    return { ...parts, result: json === undefined ? parts.result : (JSON.parse(json) as unknown) };
  };

  it('sends the trace along, in headers and where a queue hands it on', async () => {
    const trace = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, tracestate: 'vendor=1' };
    await call({ form: 'function-request' }, {}, { trace });
    await call({ form: 'queue' }, { kwargs: { a: 1 } }, { trace });
    await call({ form: 'queue' }, { kwargs: { a: 1 } });
    const [live, queue, without] = remote.received;
    expect(live).toMatchObject({ headers: trace, body: { input: { metadata: trace, function_name: 'f' } } });
    // Its input is the function's own.
    expect(queue).toMatchObject({ headers: trace, body: { input: { a: 1 }, metadata: trace } });
    expect(queue?.body).toHaveProperty('input', { a: 1 });
    expect(without?.body).toEqual({ input: { a: 1 } });
    expect(without?.headers).not.toHaveProperty('traceparent');
  });

  it('sends the key that the call came with, also when it asks after a job, and then its own again', async () => {
    const authorization = 'Bearer a-key-of-the-caller';
    let asked = 0;
    remote.answer = (_, response) =>
      reply(
        response,
        asked++ === 0 ? { id: 'j', status: 'IN_QUEUE' } : { id: 'j', status: 'COMPLETED', output: 3 },
      );
    expect((await result({ form: 'queue' }, {}, { authorization })).result).toBe(3);
    await call({ form: 'queue' });
    expect(remote.received.map(({ headers }) => headers.authorization)).toEqual([
      authorization,
      authorization,
      `Bearer ${key}`,
    ]);
  });

  it('has no key of the call in an error, not even one that can’t be sent', async () => {
    const secret = 'kéy-of-the-caller-\u{1f600}';
    const { error } = await call({ form: 'queue' }, {}, { authorization: `Bearer ${secret}` });
    expect(error).toMatch(/could not be called/);
    expect(error).not.toContain(secret);
  });

  describe('in the form of v1.0', () => {
    it('sends a FunctionRequest without nulls, with the key, and takes a FunctionResponse', async () => {
      const output = { success: true, result: 'gASVAA==', stdout: 'said there', instance_id: 'i' };
      remote.answer = (_, response) => reply(response, { id: 'j', status: 'COMPLETED', output });
      const request: FunctionRequestInput = {
        args: ['QQ=='],
        dependencies: null,
        instance_id: null,
        serialization_format: 'cloudpickle',
      };
      const parts = await call({ form: 'function-request' }, request);
      expect(remote.received[0]).toMatchObject({
        method: 'POST',
        path: '/v2/ep',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: { input: { function_name: 'f', args: ['QQ=='], serialization_format: 'cloudpickle' } },
      });
      expect((remote.received[0]?.body as { input?: object })?.input).not.toHaveProperty('dependencies');
      expect(parts).toEqual({
        success: true,
        error: undefined,
        result: { format: 'cloudpickle', base64: Buffer.from('gASVAA==') },
        stdout: 'said there',
        instanceId: 'i',
        instanceInfo: undefined,
      });
    });

    it('takes a FunctionResponse that is the whole answer', async () => {
      remote.answer = (_, response) => reply(response, { success: true, json_result: [1] });
      expect((await result({ form: 'function-request' })).result).toEqual([1]);
    });

    it.each([
      ['a status', (r: never) => reply(r, 'overloaded', 503), 'status 503: overloaded'],
      ['a redirect', (r: never) => reply(r, '', 302), 'status 302'],
      ['text', (r: never) => reply(r, '<html>'), 'its answer is not JSON: <html>'],
      ['no object', (r: never) => reply(r, [1]), 'its answer is no object: [1]'],
      [
        'no FunctionResponse',
        (r: never) => reply(r, { output: { a: 1 } }),
        'it sent no FunctionResponse: {"a":1}',
      ],
      [
        'a failed job',
        (r: never) => reply(r, { status: 'FAILED', error: 'boom' }),
        'its job is FAILED: boom',
      ],
      [
        'a failure without a reason',
        (r: never) => reply(r, { output: { success: false } }),
        'it failed and did not say why',
      ],
    ])('passes on %s', async (_, answer, error) => {
      remote.answer = (_received, response) => answer(response as never);
      const parts = await call({ form: 'function-request' });
      expect([parts.success, parts.error]).toEqual([false, expect.stringContaining(error)]);
      expect(remote.received).toHaveLength(1);
    });
  });

  describe('in the form of v1.1 queue endpoints', () => {
    it('sends plain JSON to runsync', async () => {
      expect((await result({ form: 'queue' }, { kwargs: { a: [1] } })).result).toBe(7);
      expect(remote.received[0]).toMatchObject({ path: '/v2/ep/runsync', body: { input: { a: [1] } } });
    });

    it.each(['/v2/ep', '/v2/ep/', '/v2/ep/run', '/v2/ep/runsync'])('finds runsync from %s', async (path) => {
      await call({ form: 'queue', url: remote.url + path } as never);
      expect(remote.received[0]?.path).toBe('/v2/ep/runsync');
    });

    it('never sends an empty input, which the platform would drop with its job', async () => {
      await call({ form: 'queue' });
      expect(remote.received[0]?.body).toEqual({ input: { __empty: true } });
    });

    it('names the method of a class', async () => {
      const request = {
        execution_type: 'class',
        class_name: 'C',
        method_name: 'add',
        kwargs: { by: 1 },
      } as const;
      await call({ form: 'queue', takesMethod: true } as never, request);
      expect(remote.received[0]?.body).toEqual({ input: { method: 'add', by: 1 } });
    });

    it.each<[string, FunctionRequestInput]>([
      ['positional arguments', { args: [1] }],
      ['pickled arguments', { kwargs: { a: 'QQ==' }, serialization_format: 'cloudpickle' }],
    ])('refuses %s before anything is sent', async (_, request) => {
      await expect(call({ form: 'queue' }, request)).rejects.toThrow(InvalidRequestError);
      expect(remote.received).toEqual([]);
    });

    it('asks after a job that runsync did not wait for', async () => {
      remote.answer = ({ path }, response) => {
        const isOver = remote.received.length > 3;
        const status = isOver ? { status: 'COMPLETED', output: 'late' } : { status: 'IN_PROGRESS' };
        reply(response, { id: 'j/ü', ...(path.endsWith('runsync') ? { status: 'IN_QUEUE' } : status) });
      };
      expect((await result({ form: 'queue' })).result).toBe('late');
      expect(remote.received.slice(1).map(({ method, path }) => `${method} ${path}`)).toEqual(
        Array(3).fill('GET /v2/ep/status/j%2F%C3%BC'),
      );
    });

    it('cancels such a job when its caller no longer waits', async () => {
      remote.answer = (_, response) => reply(response, { id: 'j', status: 'IN_QUEUE' });
      const parts = await call({ form: 'queue' }, {}, { signal: AbortSignal.timeout(60) });
      expect([parts.success, parts.error]).toEqual([
        false,
        'there could not be called: the call was cancelled',
      ]);
      expect(remote.received.at(-1)).toMatchObject({ method: 'POST', path: '/v2/ep/cancel/j' });
    });

    it('passes on what a generated handler says of an exception', async () => {
      remote.answer = (_, response) =>
        reply(response, { status: 'COMPLETED', output: { error: 'no such item' } });
      expect(await call({ form: 'queue' })).toMatchObject({ success: false, error: 'no such item' });
    });

    it.each([['CANCELLED'], ['TIMED_OUT']])('passes on that a job is %s', async (status) => {
      remote.answer = (_, response) => reply(response, { id: 'j', status });
      expect(await call({ form: 'queue' })).toMatchObject({ success: false, error: `its job is ${status}` });
    });
  });

  describe('in the form of v1.1 routes', () => {
    const route = (method: string, path: string) =>
      ({ form: 'route', url: `${remote.url}/lb/`, method, path }) as const;

    it.each<[string, string, Record<string, unknown>, string, unknown]>([
      ['POST', '/items', { a: 1 }, '/lb/items', { a: 1 }],
      ['PUT', '/items/{id}', { id: 'a b', price: 2 }, '/lb/items/a%20b', { price: 2 }],
      [
        'GET',
        '/items/{id:int}',
        { id: 3, q: 'x', many: [1, 2], deep: { a: 1 } },
        '/lb/items/3?q=x&many=1&many=2&deep=%7B%22a%22%3A1%7D',
        undefined,
      ],
      ['DELETE', '/items', {}, '/lb/items', {}],
    ])('%s %s', async (method, path, kwargs, target, body) => {
      remote.answer = (_, response) => reply(response, { plain: true, error: 'part of the value' });
      const { success, result: value } = await result(route(method, path), { kwargs });
      expect(remote.received[0]).toMatchObject({ method, path: target });
      expect(remote.received[0]?.body).toEqual(body);
      expect([success, value]).toEqual([true, { plain: true, error: 'part of the value' }]);
    });

    it('refuses a call that lacks a part of the path', async () => {
      await expect(call(route('GET', '/items/{id}'))).rejects.toThrow('an argument "id"');
    });
  });

  describe('through the platform', () => {
    const sentinel = { form: 'sentinel', app: 'shop', environment: 'prod' } as const;

    it('names app, environment and endpoint in headers', async () => {
      expect((await result(sentinel, { kwargs: { a: 1 } })).result).toBe(7);
      expect(remote.received[0]).toMatchObject({
        method: 'POST',
        path: '/v2/flash/runsync',
        headers: {
          'x-flash-app': 'shop',
          'x-flash-environment': 'prod',
          'x-flash-endpoint': 'there',
          authorization: `Bearer ${key}`,
        },
        body: { input: { a: 1 } },
      });
    });

    it('says of 404 that the endpoint is not deployed', async () => {
      remote.answer = (_, response) => reply(response, {}, 404);
      expect((await call(sentinel)).error).toContain('it is not deployed in app shop, environment prod');
    });

    it('waits as long as FLASH_SENTINEL_TIMEOUT says', async () => {
      open({ FLASH_SENTINEL_TIMEOUT: '0.05' });
      remote.answer = () => {};
      expect((await call(sentinel)).error).toMatch(/no answer in \d+ ms/);
    });
  });

  it('keeps its connection from call to call', async () => {
    for (let round = 0; round < 20; round++) await call({ form: 'queue' });
    // A second one is opened when the first is not quite done with its answer.
    expect(new Set(remote.received.map(({ connection }) => connection)).size).toBeLessThanOrEqual(2);
  });

  it('sends nothing twice that may have run', async () => {
    remote.answer = ({ connection: _ }, response) => response.destroy();
    expect((await call({ form: 'queue' })).success).toBe(false);
    expect(remote.received).toHaveLength(1);
  });

  it('tries again to reach what it can’t connect to, three times in all', async () => {
    const gone = remote;
    const url = `${gone.url}/v2/ep`;
    remote = await RemoteEndpoints.open(() => {});
    await gone.close();
    const startedAt = performance.now();
    const { success, error } = await call({ form: 'queue', url } as never);
    expect([success, error]).toEqual([false, expect.stringContaining('ECONNREFUSED')]);
    expect(performance.now() - startedAt).toBeGreaterThan(100);
  });

  it('ends in time: its own, and the call’s', async () => {
    remote.answer = () => {};
    expect((await call({ form: 'queue' }, {}, { timeoutMs: 50 })).error).toMatch(/no answer in \d+ ms/);
    open({ FLASH_REMOTE_TIMEOUT_MS: 50 });
    expect((await call({ form: 'queue' })).error).toMatch(/no answer in \d+ ms/);
  });

  it('refuses an answer that is too large, by name of the setting', async () => {
    open({ FLASH_MAX_REMOTE_BYTES: 100 });
    remote.answer = (_, response) => reply(response, { output: 'x'.repeat(200) });
    expect((await call({ form: 'queue' })).error).toContain('FLASH_MAX_REMOTE_BYTES');
  });

  it('keeps the key out of errors', async () => {
    remote.answer = ({ headers }, response) => reply(response, `bad key: ${headers.authorization}`, 401);
    const { error } = await call({ form: 'queue' });
    expect(error).toContain('status 401: bad key: Bearer [redacted]');
  });
});
