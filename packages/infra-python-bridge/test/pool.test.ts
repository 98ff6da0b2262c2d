import { afterEach, describe, expect, it } from '@jest/globals';
import { Gate } from '../../../scripts/lib/gate.ts';
import { pythonCode } from '../../../scripts/lib/python-code.ts';
import { Bridge, returned } from './bridge.ts';

const quick = 'def f(): return "fine"';
const slow = pythonCode`
  import time
  def f():
      time.sleep(0.4)
      print("slow")
      return "slow"
`;

/** Code that ends when the gate is opened. */
const held = (gate: Gate): string => `def f():\n    ${gate.wait}\n    return "held"`;

describe('the pool', () => {
  let bridge: Bridge;
  afterEach(() => bridge.close());

  it('runs as many calls side by side as it may', async () => {
    bridge = new Bridge({ FLASH_MAX_RUNNERS: 4 });
    await bridge.run(quick);
    const gate = new Gate();
    const runs = Array.from({ length: 4 }, () => bridge.run(held(gate)));
    await gate.come(4);
    gate.open();
    expect((await Promise.all(runs)).map(returned)).toEqual(Array(4).fill('held'));
  });

  it('refuses what does not fit into its queue, and runs what does', async () => {
    bridge = new Bridge({ FLASH_MAX_RUNNERS: 1, FLASH_MAX_WAITING: 2 });
    await bridge.run(quick);
    const runs = await Promise.allSettled(
      Array.from({ length: 5 }, () => bridge.run('import time\ndef f(): time.sleep(0.05)')),
    );
    expect(runs.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
    ]);
    expect((runs[4] as PromiseRejectedResult).reason).toMatchObject({
      code: 'WORKER_BUSY',
      message: expect.stringContaining('FLASH_MAX_WAITING'),
    });
  });

  it('serves an instance after a call of it was refused for want of room', async () => {
    bridge = new Bridge({ FLASH_MAX_RUNNERS: 1, FLASH_MAX_WAITING: 1 });
    await bridge.run(quick);
    const call = () =>
      bridge.call('class C:\n def __call__(self): return 7', {
        instance_id: 'late',
        create_new_instance: false,
      });
    const busy = [bridge.run(slow), bridge.run(slow)];
    await expect(call()).rejects.toMatchObject({ code: 'WORKER_BUSY' });
    await Promise.all(busy);
    expect(returned(await call())).toBe(7);
  });

  it('lets a waiting request leave', async () => {
    bridge = new Bridge({ FLASH_MAX_RUNNERS: 1 });
    await bridge.run(quick);
    const gate = new Gate();
    const busy = bridge.run(held(gate));
    await gate.come();
    const left = await bridge.run(quick, {}, { signal: AbortSignal.timeout(50) });
    gate.open();
    await busy;
    expect(left).toMatchObject({ end: 'cancelled', error: expect.stringContaining('while it waited') });
  });

  it('comes back when the zygote is killed', async () => {
    bridge = new Bridge();
    // The parent of this runner is its zygote; zygotes of earlier tests may still be about to end.
    const zygote = returned(await bridge.run('import os\ndef f(): return os.getppid()'));
    const gate = new Gate();
    const running = bridge.run(held(gate));
    await gate.come();
    process.kill(Number(zygote), 'SIGKILL');
    expect(await running).toMatchObject({ end: 'crashed', error: expect.stringContaining('zygote') });
    gate.open();
    expect(returned(await bridge.run(quick))).toBe('fine');
  });

  it('says what to do when Python can not serve', async () => {
    bridge = new Bridge({}, process.env, '/usr/bin/false');
    await expect(bridge.executor.start()).rejects.toMatchObject({ code: 'WORKER_START' });
    await expect(bridge.run(quick)).rejects.toMatchObject({ code: 'WORKER_START' });
  });

  it('keeps what it is told from the environment of user code', async () => {
    bridge = new Bridge({}, { PATH: process.env.PATH, ONLY: 'this' });
    const code = 'import os\ndef f(): return [os.environ.get("ONLY"), os.environ.get("HOME")]';
    expect(returned(await bridge.run(code))).toEqual(['this', null]);
  });

  it('takes a runner out of use that has imported what was replaced', async () => {
    bridge = new Bridge({ FLASH_MAX_RUNNERS: 1 });
    const pid = 'import os\ndef f(): return os.getpid()';
    const first = returned(await bridge.run(`import wave\n${pid}`));
    await bridge.executor.packagesChanged([
      { name: 'six', version: '2', previousVersion: '1', replacedModules: ['six'] },
    ]);
    expect(returned(await bridge.run(pid))).toBe(first);
    await bridge.executor.packagesChanged([
      { name: 'wave', version: '2', previousVersion: '1', replacedModules: ['wave'] },
    ]);
    expect(returned(await bridge.run(pid))).not.toBe(first);
  });
});
