import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { clientsPython } from '../../../scripts/lib/clients-python.ts';
import { pythonCode } from '../../../scripts/lib/python-code.ts';
import { until } from '../../../scripts/lib/until.ts';
import { Bridge, returned } from './bridge.ts';

/** A Python with numpy and joblib. */
const withLibraries = clientsPython();

describe('what forked processes share', () => {
  let bridge: Bridge;
  const directories: string[] = [];
  afterEach(async () => {
    await bridge.close();
    for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
  });

  it('random numbers of no two runners are the same: side by side, after crashes, after a restart', async () => {
    const cache = mkdtempSync(join(tmpdir(), 'flash-test-'));
    directories.push(cache);
    const code = pythonCode`
      import os, random, time
      import numpy
      def f(crash):
        if crash: os._exit(1)
        time.sleep(0.3)
        return [random.getrandbits(60), int(numpy.random.randint(2**60)), int(numpy.random.default_rng().integers(2**60)),
                os.getpid(), "numpy" in __import__("sys").modules]`;
    const drawn: number[] = [];
    for (let round = 0; round < 2; round++) {
      const settings = { FLASH_CACHE_DIR: cache, FLASH_PREIMPORT: 'numpy', FLASH_MAX_RUNNERS: '8' };
      bridge = new Bridge(settings, process.env, withLibraries);
      await bridge.executor.warm();
      for (let again = 0; again < 2; again++) {
        const eight = await Promise.all(Array.from({ length: 8 }, () => bridge.run(code, { args: [false] })));
        for (const execution of eight) drawn.push(...(returned(execution) as number[]).slice(0, 3));
        await Promise.all(Array.from({ length: 8 }, () => bridge.run(code, { args: [true] })));
      }
      await bridge.close();
    }
    expect(new Set(drawn).size).toBe(drawn.length);
    expect(drawn.length).toBe(2 * 2 * 8 * 3);
  });

  it.each([
    [
      'a spawned pool',
      'multiprocessing.get_context("spawn").Pool(2)',
      'with pool: return pool.map(square, [2, 3])',
    ],
    [
      'a pool of a fork server',
      'multiprocessing.get_context("forkserver").Pool(2)',
      'with pool: return pool.map(square, [2, 3])',
    ],
    [
      'an executor of processes',
      'concurrent.futures.ProcessPoolExecutor(2, multiprocessing.get_context("spawn"))',
      'with pool: return list(pool.map(square, [2, 3]))',
    ],
    [
      'a process with a queue',
      'multiprocessing.get_context("spawn")',
      'queue = pool.SimpleQueue(); p = pool.Process(target=answer, args=(queue,)); p.start(); p.join(); return queue.get()',
    ],
    [
      'joblib',
      'joblib.Parallel(n_jobs=2, backend="multiprocessing")',
      'return pool(joblib.delayed(square)(n) for n in [2, 3])',
    ],
  ])('%s finds the functions and classes of live code', async (_, pool, use) => {
    bridge = new Bridge({}, process.env, withLibraries);
    const execution = await bridge.run(
      pythonCode`
        import concurrent.futures, multiprocessing, joblib, helper
        class Squared:
          def __init__(self, n): self.n = helper.times(n, n)
        def square(n): return Squared(n).n
        def answer(queue): queue.put([square(2), square(3)])
        def f():
          pool = ${pool}
          ${use}`,
      { modules: { 'helper.py': 'def times(a, b): return a * b\n' } },
      { timeoutMs: 40_000 },
    );
    expect(returned(execution)).toEqual([4, 9]);
  });

  it('live code has its source: for inspect, for tracebacks, for pickles', async () => {
    bridge = new Bridge();
    const code = pythonCode`
      import inspect, os, pickle, sys
      class Thing:
        """Documented."""
        def method(self): return 1
      def f():
        module = sys.modules[Thing.__module__]
        return [inspect.getsource(Thing), inspect.getsource(f).splitlines()[0], os.path.exists(__file__),
                inspect.getmodule(Thing) is module, pickle.loads(pickle.dumps(Thing())).method(), module.__spec__.name]`;
    const [source, first, ...rest] = returned(await bridge.run(code)) as string[];
    expect(source).toMatch(/^class Thing:\n {2}"""Documented."""\n/);
    expect(first).toBe('def f():');
    expect(rest).toEqual([true, true, 1, 'flash_live']);
  });

  it('a source’s directory goes with its runner', async () => {
    bridge = new Bridge({ FLASH_RUNNER_MAX_REQUESTS: 1 });
    const where = 'import os\ndef f(): return [__file__, [os.path.exists(p) for p in PLACES]]';
    const places: string[] = [];
    for (let count = 0; count < 3; count++) {
      const code = `PLACES = ${JSON.stringify(places)}\n${where}`;
      const [file] = returned(await bridge.run(code)) as [string];
      places.push(file);
    }
    const { existsSync } = await import('node:fs');
    const left = () => places.slice(0, 2).filter((place) => existsSync(place));
    await until(() => left().length === 0);
  });
});
