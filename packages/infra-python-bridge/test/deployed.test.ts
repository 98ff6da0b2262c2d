import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Execution, type FunctionRequestInput, functionCallFrom } from '@flash/worker-core';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Bridge, returned } from './bridge.ts';

describe('code of the deployed app', () => {
  let directory: string;
  let bridge: Bridge;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'flash-test-'));
    writeFileSync(join(directory, 'sibling.py'), 'def twice(x): return 2 * x');
    writeFileSync(
      join(directory, 'work.py'),
      `
import asyncio, os, sibling
loads = []
loads.append(1)
def add(a, b=1): return sibling.twice(a) + b
async def later(a):
    await asyncio.sleep(0.01)
    return a
def count(): return [len(loads), os.getpid()]
def fail(): raise KeyError("gone")
number = 5
class Counter:
    def __init__(self, start=0): self.value, self.met = start, 0
    def add(self, by=1):
        self.value += by
        return self.value
    async def meet(self, count):
        self.met += 1
        for _ in range(6000):
            if self.met >= count: return self.value
            await asyncio.sleep(0.01)
        raise TimeoutError("the others do not come")
`,
    );
    writeFileSync(join(directory, 'broken.py'), 'import no_such_module_of_ours');
    bridge = new Bridge();
  });
  afterAll(async () => {
    await bridge.close();
    rmSync(directory, { recursive: true });
  });
  const run = (request: FunctionRequestInput, module = 'work'): Promise<Execution> =>
    bridge.executor.run(
      { ...functionCallFrom({ serialization_format: 'json', ...request }), deployed: { module, directory } },
      { requestId: 'test' },
    );

  it('is imported from its directory, once, with what lies beside it', async () => {
    expect(returned(await run({ function_name: 'add', args: [4], kwargs: { b: 2 } }))).toBe(10);
    expect(returned(await run({ function_name: 'later', args: ['x'] }))).toBe('x');
    const counts = [await run({ function_name: 'count' }), await run({ function_name: 'count' })].map(
      returned,
    );
    expect(counts[0]).toEqual(counts[1]);
    expect(counts[0]).toEqual([1, expect.any(Number)]);
  });

  it('keeps instances of its classes from request to request, whose async methods overlap', async () => {
    const counter = (more: FunctionRequestInput) =>
      run({
        execution_type: 'class',
        class_name: 'Counter',
        instance_id: 'c',
        create_new_instance: false,
        ...more,
      });
    expect(returned(await counter({ method_name: 'add', constructor_args: [10] }))).toBe(11);
    expect(returned(await counter({ method_name: 'add', kwargs: { by: 5 } }))).toBe(16);
    // None of them ends before all have begun.
    const all = await Promise.all(
      Array.from({ length: 5 }, () => counter({ method_name: 'meet', args: [5] })),
    );
    expect(all.map(returned)).toEqual([16, 16, 16, 16, 16]);
  });

  it.each([
    ['none', 'work', "function 'none' not found in module 'work' of the deployed app; it defines: "],
    ['number', 'work', "'number' in module 'work' of the deployed app is not a function but a int"],
    ['f', 'broken', "No module named 'no_such_module_of_ours'"],
    ['f', 'nowhere', "No module named 'nowhere'"],
  ])('that is wrong is told by name: %s in %s', async (function_name, module, message) => {
    expect((await run({ function_name }, module)).error).toContain(message);
  });

  it('shows its own lines in tracebacks, and none of ours', async () => {
    const { error } = await run({ function_name: 'fail' });
    expect(error).toMatch(
      /^'gone'\nTraceback[\s\S]*work\.py", line \d+, in fail\n\s+def fail\(\): raise KeyError\("gone"\)/,
    );
    expect(error).not.toContain('flash_runner');
  });

  it('does not get in the way of live code', async () => {
    expect(returned(await bridge.run('class D: pass\ndef f(): return D.__module__'))).toBe('flash_live');
  });
});
