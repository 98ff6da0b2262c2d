import { afterEach, describe, expect, it } from '@jest/globals';
import { pythonCode } from '../../../scripts/lib/python-code.ts';
import { Bridge, returned } from './bridge.ts';

describe('what a caller is told', () => {
  let bridge: Bridge;
  afterEach(() => bridge.close());

  it.each([
    ['SIGINT', 'signal.signal(signal.SIGINT, signal.SIG_DFL); os.kill(os.getpid(), signal.SIGINT)'],
    ['SIGHUP', 'os.kill(os.getpid(), signal.SIGHUP)'],
    ['SIGXCPU', 'os.kill(os.getpid(), signal.SIGXCPU)'],
  ])('a signal that is no fault of native code is named as it was: %s', async (signal, does) => {
    bridge = new Bridge();
    const { end, error } = await bridge.run(pythonCode`
      import os, signal, time
      def f():
        ${does}
        time.sleep(1)`);
    expect(end).toBe('crashed');
    expect(error).toContain(`was ended by the signal ${signal}, which the code has sent itself`);
    expect(error).not.toContain('native');
  });

  it.each([
    ['KeyError', 'raise KeyError', 'KeyError'],
    ['KeyboardInterrupt', 'raise KeyboardInterrupt', 'KeyboardInterrupt'],
    ['StopIteration', 'next(iter(()))', 'StopIteration'],
    ['an exception of its own', 'raise type("Odd", (Exception,), {})()', 'Odd'],
    ['AssertionError', 'assert 1 == 2', 'AssertionError'],
  ])('an exception without a text is told by its type: %s', async (_, does, type) => {
    bridge = new Bridge();
    const { error } = await bridge.run(`def f(): ${does}`);
    expect(error?.split('\n')[0]).toBe(type);
    expect(error).toContain('Traceback');
  });

  it('tracebacks of async code have the user’s frames only', async () => {
    bridge = new Bridge();
    const code = pythonCode`
      import asyncio
      async def inner(): raise LookupError("not here")
      async def f():
        await asyncio.sleep(0)
        await inner()`;
    const { error } = await bridge.run(code);
    expect(error?.match(/line \d+, in .*/g)).toEqual(['line 5, in f', 'line 2, in inner']);
    const own = await bridge.run(
      code.replace('async def f', 'async def g').concat('\ndef f(): asyncio.run(g())'),
    );
    expect(own.error).toContain('in run');
    expect(own.error).toMatch(/line 6, in f/);
  });

  it('a task that a function leaves behind is told of', async () => {
    bridge = new Bridge();
    const { output, ...execution } = await bridge.run(pythonCode`
      import asyncio
      async def refresh(): await asyncio.sleep(10)
      async def f():
        asyncio.create_task(refresh())
        await asyncio.sleep(0)
        return 1`);
    expect(returned({ output, ...execution })).toBe(1);
    expect(output).toMatch(/^WARNING:flash:1 task was cancelled because f returned .* \(refresh\): await it/);
    expect((await bridge.run('async def f(): return 1')).output).toBe('');
  });

  it.each([
    ['dumps of json', 'import json; json.dumps = lambda *a, **k: "?"'],
    [
      'the encoder of json',
      'import json; json.JSONEncoder.encode = json.JSONEncoder.iterencode = lambda *a: "?"',
    ],
    ['loads of json', 'import json; json.loads = json.JSONDecoder.decode = lambda *a, **k: {}'],
    ['len', 'import builtins; builtins.len = lambda _: 0'],
    ['calls of the system', 'import os; os.write = os.fstat = os.close = lambda *a: 0'],
    ['packing', 'import struct; struct.pack = struct.Struct = None'],
    ['sockets', 'import socket; socket.socket.sendall = lambda *a: None'],
    ['dict', 'import builtins; builtins.dict = builtins.isinstance = builtins.type = None'],
  ])('code that replaces %s is answered all the same, and the next request is well', async (_, does) => {
    bridge = new Bridge({ FLASH_MAX_RUNNERS: 1 });
    const code = pythonCode`
      def f():
        ${does}
        raise ValueError("said")`;
    for (let again = 0; again < 2; again++) {
      const { end, error } = await bridge.run(code);
      expect(['raised', 'crashed']).toContain(end);
      expect(error).toMatch(/said|Python process/);
      expect(returned(await bridge.run('def f(): return {"len": len("four")}'))).toEqual({ len: 4 });
    }
  });

  it('a runner that sends what is no answer is a crash of its run', async () => {
    bridge = new Bridge({ FLASH_MAX_RUNNERS: 1 });
    const code = pythonCode`
      import os, struct
      def f():
        for fd in range(200, 220):
          try: os.write(fd, struct.pack("!BBIII", 2, 0, 1, 3, 0) + b"{{{")
          except OSError: pass
        return 1`;
    const { end, error } = await bridge.run(code);
    expect(end).toBe('crashed');
    expect(error).toContain("an answer that can't be read");
    expect(returned(await bridge.run('def f(): return 2'))).toBe(2);
  });
});
