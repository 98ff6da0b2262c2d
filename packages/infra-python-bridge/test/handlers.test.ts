import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Execution, RunOptions } from '@flash/worker-core';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { pythonCode } from '../../../scripts/lib/python-code.ts';
import { Bridge, returned } from './bridge.ts';
import { HandlerFiles, runHandler } from './handler-files.ts';

const files = new HandlerFiles();
let bridge: Bridge;
afterEach(() => bridge.close());
afterAll(() => files.remove());

const run = (file: string, input: unknown, options: Partial<RunOptions> = {}): Promise<Execution> =>
  runHandler(bridge, file, input, options);

describe('handlers', () => {
  it.each([
    ['a function', 'def handler(job): return {"id": job["id"], "n": job["input"]["n"] + 1}'],
    ['a coroutine', 'async def handler(job): return {"id": job["id"], "n": job["input"]["n"] + 1}'],
    [
      'a function that returns a coroutine',
      'async def g(job): return {"id": job["id"], "n": 2}\ndef handler(job): return g(job)',
    ],
    [
      'a callable object',
      pythonCode`
        class H:
            def __call__(self, job): return {"id": job["id"], "n": 2}
        handler = H()
      `,
    ],
  ])('runs %s with the whole job, plain JSON in and out', async (_, code) => {
    bridge = new Bridge();
    const execution = await run(files.add(code), { n: 1 });
    expect(returned(execution)).toEqual({ id: 'j1', n: 2 });
    expect(execution).toMatchObject({ handler: { isStream: false, refreshWorker: false } });
    expect(execution.instanceId).toBeUndefined();
  });

  it('loads the file once, and finds modules beside it first', async () => {
    bridge = new Bridge();
    writeFileSync(join(files.directory, 'colorsys.py'), 'name = "of the app"');
    const file = files.add(
      pythonCode`
        import colorsys
        print("loading")
        count = 0
        def handler(job):
            global count
            count += 1
            return [count, colorsys.name]
      `,
    );
    const first = await run(file, 1);
    const second = await run(file, 1);
    expect([returned(first), returned(second)]).toEqual([
      [1, 'of the app'],
      [2, 'of the app'],
    ]);
    expect([first.output, second.output]).toEqual(['loading\n', '']);
  });

  it.each([
    ['{"error": "no luck", "a": 1}', { error: 'no luck', refreshWorker: false }, { a: 1 }],
    ['{"error": {"code": 7}}', { error: '{"code": 7}', refreshWorker: false }, undefined],
    ['{"error": None, "a": 1}', { refreshWorker: false }, { a: 1 }],
    ['{"refresh_worker": True, "a": 1}', { refreshWorker: true }, { a: 1 }],
    ['{"refresh_worker": True}', { refreshWorker: true }, undefined],
    ['{}', { refreshWorker: false }, undefined],
    ['False', { refreshWorker: false }, false],
    ['None', { refreshWorker: false }, null],
    ['"text"', { refreshWorker: false }, 'text'],
  ])('lifts out of %s what is no output', async (value, said, output) => {
    bridge = new Bridge();
    const execution = await run(files.add(`def handler(job): return ${value}`), 1);
    expect(execution.handler).toEqual({ isStream: false, error: undefined, ...said });
    expect(execution.result === undefined ? undefined : returned(execution)).toEqual(output);
  });

  it('tells type, message and traceback of an exception', async () => {
    bridge = new Bridge();
    const execution = await run(files.add('def handler(job):\n    raise KeyError("missing")'), 1);
    expect(execution.end).toBe('raised');
    expect(execution.failure).toEqual({
      type: "<class 'KeyError'>",
      message: "'missing'",
      traceback: expect.stringMatching(/handler_\d+\.py", line 2, in handler\n.*raise KeyError/s),
    });
    expect(execution.failure?.traceback).not.toContain('flash_runner');
  });

  it.each([
    ['a file that can’t be imported', 'import a_module_that_is_nowhere', 'a_module_that_is_nowhere'],
    ['a file without a handler', 'def other(): pass', "defines no function 'handler'"],
    ['a result that is no JSON', 'def handler(job): return {1, 2}', 'is not JSON'],
  ])('names what is wrong with %s', async (_, code, reason) => {
    bridge = new Bridge();
    const execution = await run(files.add(code), 1);
    expect(execution.error).toContain(reason);
    expect(execution.failure?.message).toContain(reason);
  });

  it('runs async handlers side by side in one process, their output apart', async () => {
    bridge = new Bridge();
    const file = files.add(
      pythonCode`
        import asyncio, os
        begun = 0
        async def handler(job):
            global begun
            print("begin", job["id"])
            begun += 1
            for _ in range(6000):
                if begun >= job["input"]: break
                await asyncio.sleep(0.01)
            else: raise TimeoutError("the others do not begin")
            print("end", job["id"])
            return os.getpid()
      `,
    );
    await run(file, 1);
    // None of them ends before all have begun.
    const all = await Promise.all(['a', 'b', 'c'].map((id) => run(file, 4, { requestId: id })));
    expect(new Set(all.map(returned)).size).toBe(1);
    expect(all.map(({ output }) => output)).toEqual(['a', 'b', 'c'].map((id) => `begin ${id}\nend ${id}\n`));
  });

  it('loads the handler anew after its process has died', async () => {
    bridge = new Bridge();
    const file = files.add(
      pythonCode`
        import os
        def handler(job):
            if job["input"] == "die": os._exit(3)
            return "alive"
      `,
    );
    await run(file, 1);
    const dead = await run(file, 'die');
    expect(dead).toMatchObject({ end: 'crashed', error: expect.stringContaining('exit code 3') });
    expect(dead.error).not.toContain('instance');
    expect(returned(await run(file, 1))).toBe('alive');
  });
});
