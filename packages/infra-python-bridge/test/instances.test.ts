import { afterEach, describe, expect, it } from '@jest/globals';
import { Gate } from '../../../scripts/lib/gate.ts';
import { pythonCode } from '../../../scripts/lib/python-code.ts';
import { until } from '../../../scripts/lib/until.ts';
import { Bridge, returned } from './bridge.ts';

const counter = pythonCode`
  class C:
      def __init__(self, start=0): self.n = start
      def __call__(self): return self.n
      def add(self, by=1): self.n += by; return self.n
      async def slow_add(self, name):
          import asyncio
          print("begin", name); await asyncio.sleep(0.1); self.n += 1; print("end", name)
          return self.n
      async def add_together(self, name, count):
          import asyncio
          print("begin", name); self.come = getattr(self, "come", 0) + 1
          for _ in range(6000):
              if self.come >= count: break
              await asyncio.sleep(0.01)
          else: raise TimeoutError("the others do not come")
          self.n += 1; print("end", name)
          return self.n
      async def add_after(self, name, path):
          import asyncio, os
          print("begin", name, flush=True)
          while os.path.exists(path): await asyncio.sleep(0.01)
          self.n += 1
          return self.n
      def crash(self):
          import os; os._exit(1)
`;
const keep = { instance_id: 'one', create_new_instance: false, method_name: 'add' };

describe('instances', () => {
  let bridge: Bridge;
  afterEach(() => bridge.close());

  it('live from request to request when asked for by id', async () => {
    bridge = new Bridge();
    const first = await bridge.call(counter, { ...keep, constructor_kwargs: { start: 10 } });
    expect(returned(first)).toBe(11);
    expect(first.instanceId).toBe('one');
    expect(first.instanceInfo).toMatchObject({ class_name: 'C', method_calls: 1 });
    const second = await bridge.call(counter, { ...keep, constructor_kwargs: { start: 99 } });
    expect(returned(second)).toBe(12);
    expect(second.instanceInfo?.method_calls).toBe(2);
    expect(second.instanceInfo?.created_at).toBe(first.instanceInfo?.created_at);
    expect(new Date(second.instanceInfo?.last_used ?? 0).toISOString()).toBe(second.instanceInfo?.last_used);
  });

  it('are replaced with create_new_instance', async () => {
    bridge = new Bridge();
    await bridge.call(counter, keep);
    const replaced = await bridge.call(counter, { ...keep, create_new_instance: true });
    expect(returned(replaced)).toBe(1);
    expect(replaced.instanceInfo?.method_calls).toBe(1);
    expect(returned(await bridge.call(counter, keep))).toBe(2);
  });

  it('get an id when the request has none, and __call__ when it names no method', async () => {
    bridge = new Bridge();
    const execution = await bridge.call(counter, { constructor_args: [5] });
    expect(returned(execution)).toBe(5);
    expect(execution.instanceId).toMatch(/^C_[0-9a-f]{8}$/);
  });

  it('name a method that is missing, and a class that is', async () => {
    bridge = new Bridge();
    expect((await bridge.call(counter, { method_name: 'nope' })).error).toBe(
      "class 'C' has no method 'nope'",
    );
    expect((await bridge.call('class D: pass')).error).toMatch(
      /^class 'C' not found in the provided code; it defines: D$/,
    );
  });

  it('do not stay when their constructor fails', async () => {
    bridge = new Bridge({ FLASH_MAX_INSTANCES: 1 });
    const failing = pythonCode`
      class C:
          def __init__(self): raise ValueError("no")
          def add(self): pass
    `;
    const failed = await bridge.call(failing, { ...keep, instance_id: 'failing' });
    expect(failed).toMatchObject({ end: 'raised', error: expect.stringMatching(/^no\n/) });
    expect(failed.instanceId).toBeUndefined();
    expect(returned(await bridge.call(counter, keep))).toBe(1);
    expect(bridge.log.messages).not.toContain('an instance was dropped');
  });

  it('run async methods of one instance side by side, and mix no output', async () => {
    bridge = new Bridge({ FLASH_MAX_RUNNERS: 1 });
    await bridge.call(counter, keep);
    const names = ['a', 'b', 'c', 'd', 'e'];
    // None of them ends before all have begun.
    const runs = await Promise.all(
      names.map((name) =>
        bridge.call(counter, { ...keep, method_name: 'add_together', kwargs: { name, count: 5 } }),
      ),
    );
    expect(runs.map(({ output }) => output)).toEqual(names.map((name) => `begin ${name}\nend ${name}\n`));
    expect(runs.map(returned).toSorted()).toEqual([2, 3, 4, 5, 6]);
  });

  it('run a synchronous method after the async ones, without a loop', async () => {
    bridge = new Bridge({ FLASH_MAX_RUNNERS: 1 });
    const slow = bridge.call(counter, { ...keep, method_name: 'slow_add', kwargs: { name: 'x' } });
    const plain = bridge.call(counter, keep);
    expect([returned(await slow), returned(await plain)]).toEqual([1, 2]);
  });

  it('end one overlapping call without touching the others', async () => {
    // One that is interrupted has as long as it takes; a process that is killed would end the others too.
    bridge = new Bridge({ FLASH_MAX_RUNNERS: 1, FLASH_CANCEL_GRACE_MS: 60_000 });
    const gate = new Gate();
    const one = new AbortController();
    const begun: string[] = [];
    const runs = ['a', 'b', 'c'].map((name) =>
      bridge.call(
        counter,
        { ...keep, method_name: 'add_after', kwargs: { name, path: gate.path } },
        { onOutput: () => begun.push(name), ...(name === 'b' && { signal: one.signal }) },
      ),
    );
    await until(() => new Set(begun).size === 3);
    one.abort();
    expect((await runs[1])?.end).toBe('cancelled');
    gate.open();
    expect((await Promise.all(runs)).map(({ end }) => end)).toEqual(['returned', 'cancelled', 'returned']);
  });

  it('give room by least recent use, with a line in the log', async () => {
    bridge = new Bridge({ FLASH_MAX_INSTANCES: 2 });
    for (const instance_id of ['one', 'two', 'one', 'three'])
      await bridge.call(counter, { ...keep, instance_id });
    expect(bridge.log.events).toContainEqual({
      level: 'info',
      message: 'an instance was dropped',
      fields: { instanceId: 'two', reason: expect.stringContaining('FLASH_MAX_INSTANCES') },
    });
    expect(returned(await bridge.call(counter, { ...keep, instance_id: 'one' }))).toBe(3);
    expect(returned(await bridge.call(counter, { ...keep, instance_id: 'two' }))).toBe(1);
  });

  it('are dropped when no run has used them for long', async () => {
    bridge = new Bridge({ FLASH_INSTANCE_IDLE_MS: 100 });
    await bridge.call(counter, keep);
    await until(() => bridge.log.messages.includes('an instance was dropped'));
    expect(returned(await bridge.call(counter, keep))).toBe(1);
  });

  it('that are lost in a crash are named, and made anew by the next call', async () => {
    bridge = new Bridge();
    await bridge.call(counter, keep);
    const crashed = await bridge.call(counter, { ...keep, method_name: 'crash' });
    expect(crashed.end).toBe('crashed');
    expect(crashed.error).toContain('exit code 1');
    expect(crashed.error).toContain('lost: one');
    expect(returned(await bridge.call(counter, keep))).toBe(1);
  });

  it('are made once when their first calls come at the same time', async () => {
    bridge = new Bridge();
    const runs = await Promise.all(Array.from({ length: 5 }, () => bridge.call(counter, keep)));
    expect(runs.map(returned).toSorted()).toEqual([1, 2, 3, 4, 5]);
  });
});
