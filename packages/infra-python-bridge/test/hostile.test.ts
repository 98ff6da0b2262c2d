import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Bridge, descendants, returned } from './bridge.ts';

const quick = 'def f(): return "fine"';
const slow = 'import time\ndef f():\n time.sleep(0.4)\n print("slow")\n return "slow"';

describe('hostile user code', () => {
  let bridge: Bridge;
  let before: number[];
  beforeEach(() => {
    before = descendants();
    bridge = new Bridge();
  });
  afterEach(async () => {
    await bridge.close();
    expect(descendants().filter((pid) => !before.includes(pid))).toEqual([]);
  });

  it.each([
    ['exits', 'import os\ndef f(): os._exit(3)', 'crashed', /ended itself with exit code 3/],
    [
      'crashes in native code',
      'import ctypes\ndef f(): ctypes.string_at(0)',
      'crashed',
      /crashed with SIGSEGV/,
    ],
    [
      'is killed',
      'import os, signal\ndef f(): os.kill(os.getpid(), signal.SIGKILL)',
      'crashed',
      /was killed \(SIGKILL\).*memory/,
    ],
    ['kills its group', 'import os, signal\ndef f(): os.killpg(0, signal.SIGTERM)', 'crashed', /SIGTERM/],
    [
      'overflows the C stack',
      'import ctypes, sys\ndef f():\n sys.setrecursionlimit(10**9)\n class A:\n  def __getattr__(self, n): return repr(A()) \n def g(n): return g.__call__(n+1)\n x = []\n for _ in range(10**6): x = [x]\n return repr(x)',
      undefined,
      /./,
    ],
    ['aborts', 'import os\ndef f(): os.abort()', 'crashed', /SIGABRT/],
  ])('that %s fails its own request and nothing else', async (_, code, end, error) => {
    await bridge.run(quick);
    const [other, hostile] = await Promise.all([bridge.run(slow), bridge.run(code)]);
    if (end !== undefined) expect(hostile.end).toBe(end);
    expect(hostile.error).toMatch(error);
    expect(returned(other)).toBe('slow');
    expect(other.output).toBe('slow\n');
    expect(returned(await bridge.run(quick))).toBe('fine');
  });

  it('that crashes leaves what it had printed in the answer', async () => {
    const { output } = await bridge.run(
      'import os\ndef f():\n print("last words"); os.write(2, b"from C\\n"); os._exit(1)',
    );
    expect(output).toBe('last words\nfrom C\n');
  });

  it.each([
    ['in Python', 'def f():\n while True: pass'],
    ['in a system call', 'import time\ndef f(): time.sleep(1000)'],
    ['in a coroutine', 'import asyncio\nasync def f(): await asyncio.sleep(1000)'],
    [
      'while it swallows what interrupts it',
      'def f():\n while True:\n  try:\n   while True: pass\n  except BaseException: pass',
    ],
    ['in a coroutine that blocks the loop', 'import time\nasync def f():\n while True: time.sleep(0.01)'],
    [
      'in a coroutine that swallows its cancellation',
      'import asyncio\nasync def f():\n while True:\n  try: await asyncio.sleep(1000)\n  except asyncio.CancelledError: pass',
    ],
    ['in native code that holds the interpreter', 'def f(): return sum(range(10**12))'],
    ['while the code is loaded', 'while True: pass'],
  ])('that loops for ever %s is ended within the grace period', async (_, code) => {
    await bridge.run(quick);
    const started = performance.now();
    const { end, error } = await bridge.run(code, {}, { timeoutMs: 100 });
    expect(end).toBe('timed-out');
    expect(error).toContain('100 ms');
    expect(performance.now() - started).toBeLessThan(100 + 400 + 200);
    expect(returned(await bridge.run(quick))).toBe('fine');
  });

  it('a cancel of one request never hits the next one', async () => {
    bridge = new Bridge({ FLASH_MAX_RUNNERS: 1 });
    for (let round = 0; round < 30; round++) {
      const cancelled = bridge.run(
        'import time\ndef f(): time.sleep(0.005)',
        {},
        { signal: AbortSignal.timeout(4) },
      );
      const next = bridge.run('import time\ndef f(): time.sleep(0.005); return 1');
      await cancelled;
      expect(returned(await next)).toBe(1);
    }
  });

  it('that closes every descriptor still gives its answer', async () => {
    const code = 'import os\ndef f():\n os.closerange(0, 65536)\n return "closed"';
    expect(returned(await bridge.run(code))).toBe('closed');
    expect(returned(await bridge.run(quick))).toBe('fine');
  });

  it('that closes every descriptor and opens files in their place does no harm to the files', async () => {
    const code =
      'import os, tempfile\ndef f():\n os.closerange(3, 65536)\n files = [tempfile.TemporaryFile() for _ in range(260)]\n import gc\n f.files = files\n return max(x.fileno() for x in files)';
    expect(returned(await bridge.run(code))).toBeGreaterThan(201);
    expect(returned(await bridge.run(quick))).toBe('fine');
  });

  it('that writes into the connection of its runner is ended, and nothing else', async () => {
    const code = [
      'import os, stat, time',
      'def f():',
      ' for fd in range(3, 1024):',
      '  try:',
      '   if stat.S_ISSOCK(os.fstat(fd).st_mode): os.write(fd, b"\\xff" * 100)',
      '  except OSError: pass',
      ' time.sleep(60)',
    ].join('\n');
    const [other, hostile] = await Promise.all([bridge.run(slow), bridge.run(code)]);
    expect(hostile.end).toBe('crashed');
    expect(returned(other)).toBe('slow');
    expect(returned(await bridge.run(quick))).toBe('fine');
  });

  it('that leaves children, daemons and threads behind is cleared away at shutdown', async () => {
    const code = [
      'import os, subprocess, threading, time',
      'def f():',
      ' subprocess.Popen(["sleep", "1000"])',
      ' subprocess.Popen(["setsid", "sleep", "1000"])',
      ' os.system("setsid sh -c \'sleep 1000 & sleep 1000\' &")',
      ' threading.Thread(target=time.sleep, args=(1000,)).start()',
      ' return "left"',
    ].join('\n');
    expect(returned(await bridge.run(code))).toBe('left');
    expect(returned(await bridge.run(quick))).toBe('fine');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(descendants().length).toBeGreaterThan(before.length + 4);
  });

  it('that crashes takes its own children along', async () => {
    const code =
      'import os, subprocess\ndef f():\n subprocess.Popen(["setsid", "sleep", "4321"]); os._exit(1)';
    expect((await bridge.run(code)).end).toBe('crashed');
    await new Promise((resolve) => setTimeout(resolve, 300));
    const sleeping = descendants().filter((pid) => commandOf(pid).includes('4321'));
    expect(sleeping).toEqual([]);
  });

  it('that forks does not answer twice', async () => {
    const code = 'import os\ndef f():\n pid = os.fork()\n return "child" if pid == 0 else "parent"';
    expect(returned(await bridge.run(code))).toBe('parent');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(returned(await bridge.run(quick))).toBe('fine');
  });

  it.each(['fork', 'spawn', 'forkserver'])('may use multiprocessing (%s)', async (method) => {
    const code = `import multiprocessing, os\ndef f():\n with multiprocessing.get_context("${method}").Pool(2) as pool:\n  return pool.map(abs, [-1, -2])`;
    expect(returned(await bridge.run(code))).toEqual([1, 2]);
  });

  it('may use threads and processes of concurrent.futures', async () => {
    const code =
      'from concurrent.futures import ThreadPoolExecutor\ndef g(x):\n print("t", x); return x * 2\ndef f():\n with ThreadPoolExecutor(1) as pool: return list(pool.map(g, [1, 2]))';
    const execution = await bridge.run(code);
    expect(returned(execution)).toEqual([2, 4]);
    expect(execution.output).toBe('t 1\nt 2\n');
  });

  it('does not see the sockets and pipes of the worker in its children', async () => {
    const code =
      'import subprocess\ndef f(): return subprocess.run(["ls", "/proc/self/fd"], capture_output=True, text=True, close_fds=False).stdout.split()';
    const open = returned(await bridge.run(code)) as string[];
    expect(open.map(Number).filter((fd) => fd > 10)).toEqual([]);
  });

  it('that eats its address space fails alone', async () => {
    const { end, error } = await bridge.run(
      'import resource\ndef f():\n resource.setrlimit(resource.RLIMIT_AS, (2**28, 2**28))\n return len(bytearray(2**30))',
    );
    expect(end).toBe('raised');
    expect(error).toContain('MemoryError');
  });

  it('gives memory, descriptors and processes back after many crashes', async () => {
    const state = () => ({
      fds: readdirSync('/proc/self/fd').length,
      zombies: descendants().filter(isZombie).length,
    });
    const crash = (): Promise<unknown> => bridge.run('import os\ndef f(): os._exit(1)');
    for (let round = 0; round < 5; round++) await crash();
    const first = state();
    for (let round = 0; round < 40; round++) await crash();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(state().zombies).toBe(0);
    expect(state().fds).toBeLessThanOrEqual(first.fds + 3);
  });
});

describe('the pool', () => {
  let bridge: Bridge;
  afterEach(() => bridge.close());

  it('runs as many calls side by side as it may', async () => {
    bridge = new Bridge({ FLASH_MAX_RUNNERS: 4 });
    await bridge.run(quick);
    const started = performance.now();
    await Promise.all(Array.from({ length: 4 }, () => bridge.run('import time\ndef f(): time.sleep(0.3)')));
    expect(performance.now() - started).toBeLessThan(900);
  });

  it('refuses what does not fit into its waiting line, and runs what does', async () => {
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
    const [, left] = await Promise.all([
      bridge.run(slow),
      bridge.run(quick, {}, { signal: AbortSignal.timeout(50) }),
    ]);
    expect(left).toMatchObject({ end: 'cancelled', error: expect.stringContaining('while it waited') });
  });

  it('comes back when the zygote is killed', async () => {
    bridge = new Bridge();
    // The parent of this runner is its zygote; zygotes of earlier tests may still be about to end.
    const zygote = returned(await bridge.run('import os\ndef f(): return os.getppid()'));
    const running = bridge.run('import time\ndef f(): time.sleep(30)');
    await new Promise((resolve) => setTimeout(resolve, 100));
    process.kill(Number(zygote), 'SIGKILL');
    expect(await running).toMatchObject({ end: 'crashed', error: expect.stringContaining('zygote') });
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

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

function isZombie(pid: number): boolean {
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
