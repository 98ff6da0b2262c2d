import { execFileSync } from 'node:child_process';
import { executorContract } from '@flash/worker-core/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pythonCode } from '../../../scripts/lib/python-code.ts';
import { Bridge, returned, testPython } from './bridge.ts';

describe.each(['clean', 'never'])(
  'PythonProcessExecutor keeps the contract of Executor, FLASH_RUNNER_REUSE=%s',
  (reuse) => {
    const make = async () => new Bridge({ FLASH_RUNNER_REUSE: reuse }).executor;
    for (const { name, run } of executorContract(make, testPython)) it(name, run);
  },
);

describe('functions', () => {
  let bridge: Bridge;
  beforeAll(() => {
    bridge = new Bridge();
  });
  afterAll(() => bridge.close());

  it.each([
    ['keyword arguments', 'def f(a, b=2):\n return [a, b]', { args: [1], kwargs: { b: 3 } }, [1, 3]],
    [
      'an async function',
      pythonCode`
        import asyncio
        async def f():
            await asyncio.sleep(0.01)
            return 5
      `,
      {},
      5,
    ],
    [
      'a generator, as a list',
      pythonCode`
        def f():
            yield 1
            yield 2
      `,
      {},
      [1, 2],
    ],
    [
      'an async generator, as a list',
      pythonCode`
        async def f():
            yield 1
            yield 2
      `,
      {},
      [1, 2],
    ],
    ['a function that returns an awaitable', 'async def g(): return 4\ndef f(): return g()', {}, 4],
    [
      'a callable object',
      pythonCode`
        class F:
            def __call__(self, a): return a
        f = F()
      `,
      { args: [9] },
      9,
    ],
    [
      'asyncio.run in synchronous code',
      pythonCode`
        import asyncio
        async def g(): return 3
        def f(): return asyncio.run(g())
      `,
      {},
      3,
    ],
    [
      'a signal handler',
      pythonCode`
        import signal
        def f():
            signal.signal(signal.SIGUSR1, print)
            return 1
      `,
      {},
      1,
    ],
    [
      'no event loop running in synchronous code',
      pythonCode`
        import asyncio
        def f():
            try: asyncio.get_running_loop()
            except RuntimeError: return "none"
      `,
      {},
      'none',
    ],
    ['unicode', 'def f(ä): return ä + "→😀"', { kwargs: { ä: 'ü' } }, 'ü→😀'],
    [
      'a dataclass with postponed annotations',
      pythonCode`
        from __future__ import annotations
        import dataclasses
        @dataclasses.dataclass
        class P:
            x: int
        def f(): return dataclasses.asdict(P(1))
      `,
      {},
      { x: 1 },
    ],
    [
      'the current working directory is not on the path',
      'import sys\ndef f(): return "" in sys.path',
      {},
      false,
    ],
  ])('runs %s', async (_, code, request, expected) => {
    expect(returned(await bridge.run(code, request))).toEqual(expected);
  });

  it.each([
    [
      'an exception',
      pythonCode`
        def f():
            x = 1
            raise ValueError("boom")
      `,
      /^boom\nTraceback \(most recent call last\):\n {2}File "[^"]*flash_live\.py", line 3, in f\n {4}raise ValueError\("boom"\)\n(?:.*\n)?ValueError: boom\n$/,
    ],
    [
      'a chained exception',
      pythonCode`
        def f():
            try: 1/0
            except ZeroDivisionError as e: raise KeyError("k") from e
      `,
      /ZeroDivisionError[\s\S]*direct cause[\s\S]*KeyError/,
    ],
    ['a syntax error', 'def f(:\n pass', /SyntaxError/],
    [
      'an exception while the code is loaded',
      'raise RuntimeError("at import")\ndef f(): pass',
      /^at import\n/,
    ],
    [
      'a function that is not there',
      'def g(): pass',
      /^function 'f' not found in the provided code; it defines: g$/,
    ],
    ['a name that is no function', 'f = 3', /^'f' in the provided code is not a function but a int$/],
    ['sys.exit', 'import sys\ndef f(): sys.exit(0)', /^the code called sys.exit\(0\)\n/],
    ['a BaseException', 'class Odd(BaseException): pass\ndef f(): raise Odd("odd")', /^odd\n/],
    [
      'an exception whose text can not be made',
      pythonCode`
        class E(Exception):
            def __str__(self): raise ValueError
        def f(): raise E()
      `,
      /text could not be made/,
    ],
    [
      'an exception without a text',
      'def f(): raise ValueError',
      /^ValueError\nTraceback[\s\S]*ValueError\n$/,
    ],
    ['endless recursion', 'def f(): f()', /^maximum recursion depth/],
    ['stdin, which is empty', 'def f(): return input()', /^EOF when reading a line\n/],
    ['a result that is no JSON', 'def f(): return {1, 2}', /^the result of type set is not JSON/],
    ['NaN, which is no JSON', 'def f(): return float("nan")', /^the result of type float is not JSON/],
  ])('answers %s with its error', async (_, code, expected) => {
    const { end, error } = await bridge.run(code);
    expect(error).toMatch(expected);
    expect(error).not.toContain('flash_runner');
    expect(end).toBe('raised');
  });

  it('answers what can not be pickled with the type and the reason', async () => {
    const { error } = await bridge.run('import threading\ndef f(): return threading.Lock()', {
      serialization_format: 'cloudpickle',
    });
    expect(error).toMatch(/^the result of type lock can't be pickled: /);
  });

  it('answers an argument that can not be decoded with its place', async () => {
    const run = (args: string[]) =>
      bridge.run('def f(a): return a', { serialization_format: 'cloudpickle', args });
    expect((await run(['gAVLBS4=', '%%%='])).error).toMatch(
      /^args\[1\] (is not base64|could not be unpickled)/,
    );
    expect((await run(['AAAA'])).error).toMatch(/^args\[0\] could not be unpickled: /);
  });

  it('bounds what an error text may hold', async () => {
    const { error } = await bridge.run('def f(): raise ValueError("x" * 5_000_000)');
    expect(error?.length).toBeLessThan(300_000);
    expect(error).toContain('characters cut');
  });

  it('bounds a result, naming the setting', async () => {
    const small = new Bridge({ FLASH_MAX_RESPONSE_BYTES: 1000 });
    const { error } = await small.run('def f(): return "x" * 2000');
    expect(error).toContain('FLASH_MAX_RESPONSE_BYTES');
    await small.close();
  });

  it('gives functions and classes of the code back by value, to a client that can not import them', async () => {
    const execution = await bridge.run(
      pythonCode`
        class Point:
            x = 3
        def f(): return Point()
      `,
      {
        serialization_format: 'cloudpickle',
      },
    );
    if (execution.result?.format !== 'cloudpickle') throw new Error(execution.error);
    const base64 = new TextDecoder().decode(execution.result.base64);
    const script = `import base64, cloudpickle; print(cloudpickle.loads(base64.b64decode("${base64}")).x)`;
    expect(execFileSync(testPython, ['-c', script]).toString()).toBe('3\n');
  });

  it('runs each request in a fresh namespace', async () => {
    const code = pythonCode`
      try: count += 1
      except NameError: count = 1
      def f(): return count
    `;
    expect(returned(await bridge.run(code))).toBe(1);
    expect(returned(await bridge.run(code))).toBe(1);
  });

  it('puts back what a request changed for the process', async () => {
    await bridge.run(
      pythonCode`
        import os, sys, signal
        def f():
            os.chdir("/tmp"); sys.path.append("/nowhere"); signal.alarm(60)
            sys.stdout.close()
      `,
    );
    const code = pythonCode`
      import os, sys, signal
      def f():
          print("heard")
          return [os.getcwd(), "/nowhere" in sys.path, signal.alarm(0)]
    `;
    const execution = await bridge.run(code);
    expect(returned(execution)).toEqual([process.cwd(), false, 0]);
    expect(execution.output).toBe('heard\n');
  });
});

describe('modules', () => {
  let bridge: Bridge;
  beforeAll(() => {
    bridge = new Bridge({ FLASH_MAX_RUNNERS: 1 });
  });
  afterAll(() => bridge.close());

  it('are importable while the code is loaded and while it runs, packages too', async () => {
    const code = pythonCode`
      import mathy
      def f():
          from tools.text import shout
          return shout(str(mathy.double(4)))
    `;
    const modules = {
      'mathy.py': 'def double(x): return 2 * x',
      'tools/__init__.py': '',
      'tools/text.py': 'def shout(s): return s + "!"',
    };
    expect(returned(await bridge.run(code, { modules }))).toBe('8!');
  });

  it('of one request are not seen by another, and change with their source', async () => {
    const code = 'import mine\ndef f(): return mine.value';
    expect(returned(await bridge.run(code, { modules: { 'mine.py': 'value = 1' } }))).toBe(1);
    expect(returned(await bridge.run(code, { modules: { 'mine.py': 'value = 2' } }))).toBe(2);
    expect((await bridge.run(code)).error).toMatch(/No module named 'mine'/);
  });

  it('stay importable for the methods of an instance', async () => {
    const request = {
      class_name: 'C',
      instance_id: 'with-modules',
      create_new_instance: false,
      method_name: 'late',
      modules: { 'later.py': 'value = 7' },
    };
    const code = pythonCode`
      class C:
          def late(self):
              import later
              return later.value
    `;
    expect(returned(await bridge.call(code, request))).toBe(7);
    expect(returned(await bridge.call(code, { ...request, modules: {} }))).toBe(7);
  });
});
