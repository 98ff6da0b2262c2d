import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { clientsPython } from '../../../scripts/lib/clients-python.ts';
import { Gate } from '../../../scripts/lib/gate.ts';
import { pythonCode } from '../../../scripts/lib/python-code.ts';
import { until } from '../../../scripts/lib/until.ts';
import { Bridge, returned } from './bridge.ts';

/** A Python with numpy, joblib and structlog. */
const withLibraries = clientsPython();

describe('one request and the next, in one process', () => {
  let bridge: Bridge;
  afterEach(() => bridge.close());

  const one = (settings: Record<string, unknown> = {}): Bridge => {
    bridge = new Bridge({ FLASH_MAX_RUNNERS: 1, ...settings }, process.env, withLibraries);
    return bridge;
  };

  it.each([
    [
      'a start method',
      pythonCode`
        import multiprocessing
        def f(): multiprocessing.set_start_method("forkserver", force=True)`,
      pythonCode`
        import multiprocessing
        def twice(x): return 2 * x
        def f():
          with multiprocessing.Pool(2) as pool: return pool.map(twice, [3, 4])`,
      [6, 8],
    ],
    [
      'loggers that were disabled',
      pythonCode`
        import logging, logging.config
        def f(): logging.config.dictConfig({"version": 1, "disable_existing_loggers": True})`,
      pythonCode`
        import logging
        def f(): return logging.getLogger("concurrent.futures").disabled or logging.root.handlers == []`,
      false,
    ],
    [
      'context variables of a library',
      pythonCode`
        import structlog
        def f(): structlog.contextvars.bind_contextvars(tenant="first")`,
      pythonCode`
        import structlog
        def f(): return structlog.contextvars.get_contextvars()`,
      {},
    ],
    [
      'the rounding of numbers',
      pythonCode`
        import decimal, numpy
        def f():
          decimal.getcontext().rounding = decimal.ROUND_UP
          decimal.getcontext().prec = 2
          numpy.seterr(all="raise")
          numpy.set_printoptions(precision=1)`,
      pythonCode`
        import decimal, numpy
        def f(): return [str(decimal.Decimal(2) / 3), numpy.geterr()["over"], str(numpy.array([1.2345]))]`,
      ['0.6666666666666666666666666667', 'warn', '[1.2345]'],
    ],
    [
      'the end of a loop',
      pythonCode`
        import asyncio
        async def g(): return 1
        def f(): return asyncio.run(g())`,
      pythonCode`
        import asyncio, warnings
        warnings.simplefilter("ignore")
        async def g(): return 2
        def f(): return asyncio.get_event_loop().run_until_complete(g())`,
      2,
    ],
    [
      'the seed of a library',
      pythonCode`
        import numpy, random
        def f(): numpy.random.seed(11); random.seed(11)`,
      pythonCode`
        import numpy, random
        def f():
          mine = [numpy.random.random(), random.random()]
          numpy.random.seed(11); random.seed(11)
          return mine == [numpy.random.random(), random.random()]`,
      false,
    ],
  ])('%s of one is not the next one’s', async (_, first, second, expected) => {
    one();
    expect((await bridge.run(first)).end).toBe('returned');
    expect(returned(await bridge.run(second))).toEqual(expected);
    expect(bridge.log.messages).not.toContain('a runner is replaced');
  });

  it.each([
    ['codecs', 'codecs.getwriter("utf-16")(sys.stdout.buffer)'],
    ['another wrapper', 'io.TextIOWrapper(sys.stdout.buffer, write_through=True)'],
    ['what was detached', 'io.TextIOWrapper(sys.stdout.detach())'],
    ['a file of its own', 'open(os.devnull, "w")'],
  ])('a stream wrapped in %s prints for its own request', async (_, wrapped) => {
    one();
    const first = await bridge.run(pythonCode`
      import codecs, io, os, sys
      def f():
        sys.stdout = ${wrapped}
        print("wrapped")`);
    expect(first.end).toBe('returned');
    for (let again = 0; again < 2; again++) {
      const second = await bridge.run('def f(): print("mine")');
      expect(second.output).toBe('mine\n');
    }
  });

  it('prints of joblib’s workers are in the answer of the request they worked for', async () => {
    one();
    const code = pythonCode`
      import joblib, os
      def work(n):
        print("worker", n, flush=True)
        return n * n
      def f(): return joblib.Parallel(n_jobs=2)(joblib.delayed(work)(n) for n in range(3))`;
    for (let again = 0; again < 2; again++) {
      const { output, ...execution } = await bridge.run(code);
      expect(returned({ output, ...execution })).toEqual([0, 1, 4]);
      // Two processes print at the same time, in pieces: all of them are there, in whatever order.
      const pieces = (text: string): string => [...text].sort().join('');
      expect(pieces(output)).toBe(pieces('worker 0\nworker 1\nworker 2\n'));
    }
  });

  it('what a child of an instance prints belongs to the call at work, else to the log, whole', async () => {
    one();
    const code = pythonCode`
      import subprocess, sys
      # It prints when the path is gone, and then tells so.
      CHATTY = """
      import os, sys, time
      for line in sys.stdin:
        path, text = line.rstrip().split(" ")
        while os.path.exists(path): time.sleep(0.01)
        print("heard", text * 3)
        print("said", file=sys.stderr)
      """
      class C:
        def __init__(self):
          self.child = subprocess.Popen(
            [sys.executable, "-uc", CHATTY], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        def say(self, text, path=""):
          self.child.stdin.write(f"{path} {text}\n"); self.child.stdin.flush()
          if not path: self.child.stderr.readline()
        def stop(self): self.child.kill(); self.child.wait()`;
    const call = (method_name: string, args: unknown[] = []) =>
      bridge.call(code, { instance_id: 'chatty', create_new_instance: false, method_name, args });
    expect((await call('say', ['a'])).output).toBe('heard aaa\n');
    expect((await call('say', ['b'])).output).toBe('heard bbb\n');
    const long = 'x'.repeat(2000);
    const gate = new Gate();
    await call('say', [long, gate.path]);
    gate.open();
    const logged = (): string =>
      bridge.log.events
        .filter(({ level, fields }) => level === 'info' && fields?.source === 'background')
        .map(({ message }) => message)
        .join('');
    await until(() => logged().length >= 6006);
    expect(logged()).toBe(`heard ${long.repeat(3)}`);
    await call('stop');
  });

  it('executors of an instance print for the call that gave them work', async () => {
    one();
    const code = pythonCode`
      import asyncio, concurrent.futures, time
      class C:
        def __init__(self): self.pool = concurrent.futures.ThreadPoolExecutor(1)
        async def __call__(self, name):
          loop = asyncio.get_running_loop()
          await asyncio.sleep(0.05)
          await loop.run_in_executor(None, print, "default", name)
          await loop.run_in_executor(self.pool, print, "own", name)
          await asyncio.to_thread(print, "thread", name)`;
    const names = ['a', 'b', 'c', 'd'];
    const request = { instance_id: 'pools', create_new_instance: false };
    await bridge.call(code, { ...request, args: ['first'] });
    const executions = await Promise.all(
      names.map((name) => bridge.call(code, { ...request, args: [name] })),
    );
    expect(executions.map(({ output }) => output)).toEqual(
      names.map((name) => `default ${name}\nown ${name}\nthread ${name}\n`),
    );
  });

  it('memory of modules is bounded', async () => {
    one();
    const code = pythonCode`
      table = [str(n) * 4 for n in range(200_000)]
      def f():
        with open("/proc/self/statm") as statm: return int(statm.read().split()[1]) * 4096`;
    const first = returned(await bridge.run(code)) as number;
    let last = 0;
    for (let again = 0; again < 40; again++) last = returned(await bridge.run(code)) as number;
    expect(last - first).toBeLessThan(100_000_000);
  });

  it('a runner that can’t be as new is replaced, told of once, and its thread comes to its end', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'flash-test-'));
    one();
    const gate = new Gate();
    const code = pythonCode`
      import threading
      def f(path):
        def late():
          ${gate.wait}
          open(path, "w").close()
        threading.Thread(target=late, name="late one").start()`;
    const file = join(directory, 'late');
    await bridge.run(code, { args: [file] });
    expect(returned(await bridge.run('def f(): return 1'))).toBe(1);
    const told = bridge.log.events.filter(({ message }) => message === 'a runner is replaced');
    expect(told.map(({ fields }) => [fields?.kind, fields?.reason])).toEqual([
      ['threads', 'it left 1 thread running: late one'],
    ]);
    expect(existsSync(file)).toBe(false);
    gate.open();
    await until(() => existsSync(file));
    rmSync(directory, { recursive: true });
  });

  it('a runner is replaced after FLASH_RUNNER_MAX_REQUESTS', async () => {
    one({ FLASH_RUNNER_MAX_REQUESTS: 2 });
    const pids = [];
    for (let count = 0; count < 6; count++)
      pids.push(returned(await bridge.run('import os\ndef f(): return os.getpid()')));
    expect(new Set(pids).size).toBe(3);
  });

  it('each function request has a process of its own with FLASH_RUNNER_REUSE=never', async () => {
    one({ FLASH_RUNNER_REUSE: 'never' });
    const pids = [];
    for (let count = 0; count < 5; count++)
      pids.push(returned(await bridge.run('import os\ndef f(): return os.getpid()')));
    const together = await Promise.all(
      Array.from({ length: 6 }, () => bridge.run('import os\ndef f(): return os.getpid()')),
    );
    pids.push(...together.map(returned));
    expect(new Set(pids).size).toBe(11);
  });
});
