import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '@flash/worker-core';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Gate } from '../../../scripts/lib/gate.ts';
import { pythonCode } from '../../../scripts/lib/python-code.ts';
import { until } from '../../../scripts/lib/until.ts';
import { Bridge, descendants, returned, testPython } from './bridge.ts';

let root: string;
let bridge: Bridge;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'flash-bridge-'));
});
afterEach(async () => {
  await bridge.close();
  rmSync(root, { recursive: true, force: true });
});

/** Environments that differ only in what is installed there: these modules. */
function environment(id: string, modules: Record<string, string> = {}): Environment {
  const packages = join(root, id, 'site-packages');
  mkdirSync(packages, { recursive: true });
  for (const [name, source] of Object.entries(modules)) writeFileSync(join(packages, `${name}.py`), source);
  return { id, python: testPython, variables: { PYTHONPATH: packages, ENVIRONMENT: id } };
}

function newBridge(settings: Record<string, unknown> = {}): Bridge {
  bridge = new Bridge({ FLASH_CACHE_DIR: join(root, 'cache'), ...settings });
  return bridge;
}

const where = pythonCode`
  def f(first=""):
      import os
      exec(first)
      return os.environ.get("ENVIRONMENT")
`;
const slowModule = pythonCode`
  import time
  time.sleep(0.05)
`;

/** Processes that run in an environment. */
function processesOf(id: string): number[] {
  return descendants().filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`ENVIRONMENT=${id}\0`);
    } catch {
      return false; // gone meanwhile
    }
  });
}

describe('runs in environments', () => {
  it('go each to processes of its own, the base’s among them', async () => {
    newBridge();
    const runs = [environment('a'), undefined, environment('b')].map((one) =>
      bridge.run(where, {}, { environment: one }),
    );
    expect((await Promise.all(runs)).map(returned)).toEqual(['a', null, 'b']);
  });

  it('share one bound of runners, and none waits for another environment to be done', async () => {
    newBridge({ FLASH_MAX_RUNNERS: 2 });
    /** Has two runs be at work at the same time. */
    const twoAtWork = async (options: object, meanwhile = async () => {}): Promise<void> => {
      const gate = new Gate();
      const both = [1, 2].map(() => bridge.run(where, { args: [gate.wait] }, options));
      await gate.come(2);
      await meanwhile();
      gate.open();
      for (const { end } of await Promise.all(both)) expect(end).toBe('returned');
    };
    // All runners there may be are at work in the base.
    await twoAtWork({}, async () => {
      expect(returned(await bridge.run(where, {}, { environment: environment('a') }))).toBe('a');
    });
    // What is idle in the base makes room for more.
    await twoAtWork({ environment: environment('a') });
  });

  it('find an instance where it lives', async () => {
    newBridge();
    const code = pythonCode`
      import os
      class C:
          def where(self): return os.environ.get("ENVIRONMENT")
    `;
    const call = (one: Environment | undefined, create: boolean) =>
      bridge.call(
        code,
        { method_name: 'where', instance_id: 'i', create_new_instance: create },
        { environment: one },
      );
    expect(returned(await call(environment('a'), false))).toBe('a');
    expect(returned(await call(environment('b'), false))).toBe('a');
    expect(returned(await call(undefined, false))).toBe('a');
    expect(returned(await call(environment('b'), true))).toBe('b');
    expect(returned(await call(undefined, false))).toBe('b');
  });

  it('end with their environment when nothing has run there for long, and begin anew', async () => {
    newBridge({ FLASH_ENVIRONMENT_IDLE_MS: 3000 });
    const one = environment('a');
    await bridge.run(where, {}, { environment: one });
    expect(processesOf('a').length).toBeGreaterThan(1);
    await until(() => processesOf('a').length === 0);
    expect(returned(await bridge.run(where, {}, { environment: one }))).toBe('a');
  });
});

describe('imports ahead', () => {
  const hasIt = pythonCode`
    def f():
        import sys
        had = "slow_module" in sys.modules
        import slow_module
        return had
  `;
  const wasImported = (): boolean =>
    bridge.log.messages.some((message) => message.includes('were imported ahead'));

  it('are learned from requests, and kept for the next worker', async () => {
    const one = environment('a', { slow_module: slowModule });
    newBridge();
    expect(returned(await bridge.run(hasIt, {}, { environment: one }))).toBe(false);
    await bridge.close();
    const profile = JSON.parse(readFileSync(join(root, 'cache/flash/imports/a.json'), 'utf8'));
    expect(profile.imports.slow_module).toBeGreaterThan(40);
    newBridge();
    await bridge.executor.start(one);
    const before = processesOf('a');
    await bridge.executor.warm(one);
    expect(returned(await bridge.run(hasIt, {}, { environment: one }))).toBe(true);
    // The runners that were there before the second zygote are gone, and so is the first zygote.
    await until(() => !processesOf('a').some((pid) => before.includes(pid)));
  });

  it('are those that were named, without a profile', async () => {
    newBridge({ FLASH_PREIMPORT: 'slow_module, not_there' });
    const one = environment('a', { slow_module: slowModule });
    await bridge.executor.start(one);
    await bridge.executor.warm(one);
    expect(returned(await bridge.run(hasIt, {}, { environment: one }))).toBe(true);
    const [event] = bridge.log.events.filter(({ message }) => message.includes('imported ahead'));
    expect(event?.fields).toEqual({
      environment: 'a',
      imported: { slow_module: expect.any(Number) },
      refused: { not_there: expect.stringContaining('ModuleNotFound') },
    });
  });

  it.each([
    [
      'that starts a thread',
      'import threading, time\nthreading.Thread(target=time.sleep, args=(99,), daemon=True).start()',
    ],
    ['that ends the process', 'import os\nos._exit(3)'],
    ['that is killed', 'import os, signal\nos.kill(os.getpid(), signal.SIGKILL)'],
    ['that never comes to its end', 'import time\ntime.sleep(1000)'],
    ['that takes too much memory', 'x = b"1" * 300_000_000'],
  ])('of a module %s harm no request', async (_, source) => {
    newBridge({
      FLASH_PREIMPORT: 'unfit, slow_module',
      FLASH_PREIMPORT_MS: 3000,
      FLASH_START_TIMEOUT_MS: 6000,
      FLASH_PREIMPORT_MAX_BYTES: 100_000_000,
    });
    const one = environment('a', { unfit: source, slow_module: slowModule });
    await bridge.executor.start(one);
    const warmed = bridge.executor.warm(one);
    expect(returned(await bridge.run(where, {}, { environment: one }))).toBe('a');
    await warmed;
    const isLeftOut = /thread|memory/.test(source) || source.includes('b"1"');
    expect(wasImported()).toBe(isLeftOut);
    expect(returned(await bridge.run(hasIt, {}, { environment: one }))).toBe(isLeftOut);
  });

  it('are none when they are off', async () => {
    newBridge({ FLASH_PREIMPORT: 'off' });
    const one = environment('a', { slow_module: slowModule });
    await bridge.run(hasIt, {}, { environment: one });
    await bridge.executor.warm(one);
    expect(wasImported()).toBe(false);
    await bridge.close();
    expect(() => readFileSync(join(root, 'cache/flash/imports/a.json'))).toThrow();
  });
});
