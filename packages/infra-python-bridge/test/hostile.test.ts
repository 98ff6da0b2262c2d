import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pythonCode } from '../../../scripts/lib/python-code.ts';
import { until } from '../../../scripts/lib/until.ts';
import { Bridge, descendants, returned } from './bridge.ts';

const quick = 'def f(): return "fine"';
const slow = pythonCode`
  import time
  def f():
      time.sleep(0.4)
      print("slow")
      return "slow"
`;

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
      pythonCode`
        import ctypes, sys
        def f():
            sys.setrecursionlimit(10**9)
            class A:
                def __getattr__(self, n): return repr(A())
            def g(n): return g.__call__(n+1)
            x = []
            for _ in range(10**6): x = [x]
            return repr(x)
      `,
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
      pythonCode`
        import os
        def f():
            print("last words"); os.write(2, b"from C\n"); os._exit(1)
      `,
    );
    expect(output).toBe('last words\nfrom C\n');
  });

  it.each([
    ['in Python', 'def f():\n while True: pass'],
    ['in a system call', 'import time\ndef f(): time.sleep(1000)'],
    ['in a coroutine', 'import asyncio\nasync def f(): await asyncio.sleep(1000)'],
    [
      'while it swallows what interrupts it',
      pythonCode`
        def f():
            while True:
                try:
                    while True: pass
                except BaseException: pass
      `,
    ],
    [
      'in a coroutine that blocks the loop',
      pythonCode`
        import time
        async def f():
            while True: time.sleep(0.01)
      `,
    ],
    [
      'in a coroutine that swallows its cancellation',
      pythonCode`
        import asyncio
        async def f():
            while True:
                try: await asyncio.sleep(1000)
                except asyncio.CancelledError: pass
      `,
    ],
    ['in native code that holds the interpreter', 'def f(): return sum(range(10**12))'],
    ['while the code is loaded', 'while True: pass'],
  ])('that loops for ever %s is ended', async (_, code) => {
    await bridge.run(quick);
    // Nothing else would end it.
    const { end, error } = await bridge.run(code, {}, { timeoutMs: 100 });
    expect(end).toBe('timed-out');
    expect(error).toContain('100 ms');
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
    const code = pythonCode`
      import os
      def f():
          os.closerange(0, 65536)
          return "closed"
    `;
    expect(returned(await bridge.run(code))).toBe('closed');
    expect(returned(await bridge.run(quick))).toBe('fine');
  });

  it('that closes every descriptor and opens files in their place does no harm to the files', async () => {
    const code = pythonCode`
      import os, tempfile
      def f():
          os.closerange(3, 65536)
          files = [tempfile.TemporaryFile() for _ in range(260)]
          import gc
          f.files = files
          return max(x.fileno() for x in files)
    `;
    expect(returned(await bridge.run(code))).toBeGreaterThan(201);
    expect(returned(await bridge.run(quick))).toBe('fine');
  });

  it('that writes into the connection of its runner is ended, and nothing else', async () => {
    const code = pythonCode`
      import os, stat, time
      def f():
          for fd in range(3, 1024):
              try:
                  if stat.S_ISSOCK(os.fstat(fd).st_mode): os.write(fd, b"\xff" * 100)
              except OSError: pass
          time.sleep(60)
    `;
    const [other, hostile] = await Promise.all([bridge.run(slow), bridge.run(code)]);
    expect(hostile.end).toBe('crashed');
    expect(returned(other)).toBe('slow');
    expect(returned(await bridge.run(quick))).toBe('fine');
  });

  it('that leaves children, daemons and threads behind is cleared away at shutdown', async () => {
    const code = pythonCode`
      import os, subprocess, threading, time
      def f():
          subprocess.Popen(["sleep", "1000"])
          subprocess.Popen(["setsid", "sleep", "1000"])
          os.system("setsid sh -c 'sleep 1000 & sleep 1000' &")
          threading.Thread(target=time.sleep, args=(1000,)).start()
          return "left"
    `;
    expect(returned(await bridge.run(code))).toBe('left');
    expect(returned(await bridge.run(quick))).toBe('fine');
    await until(() => descendants().length > before.length + 4);
  });

  it('that crashes takes its own children along', async () => {
    const code = pythonCode`
      import os, subprocess
      def f():
          subprocess.Popen(["setsid", "sleep", "4321"]); os._exit(1)
    `;
    expect((await bridge.run(code)).end).toBe('crashed');
    await until(() => !descendants().some((pid) => commandOf(pid).includes('4321')));
  });

  it('that forks does not answer twice', async () => {
    const code = pythonCode`
      import os
      def f():
          pid = os.fork()
          return "child" if pid == 0 else "parent"
    `;
    expect(returned(await bridge.run(code))).toBe('parent');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(returned(await bridge.run(quick))).toBe('fine');
  });

  it.each(['fork', 'spawn', 'forkserver'])('may use multiprocessing (%s)', async (method) => {
    const code = `import multiprocessing, os\ndef f():\n with multiprocessing.get_context("${method}").Pool(2) as pool:\n  return pool.map(abs, [-1, -2])`;
    expect(returned(await bridge.run(code))).toEqual([1, 2]);
  });

  it('may use threads and processes of concurrent.futures', async () => {
    const code = pythonCode`
      from concurrent.futures import ThreadPoolExecutor
      def g(x):
          print("t", x); return x * 2
      def f():
          with ThreadPoolExecutor(1) as pool: return list(pool.map(g, [1, 2]))
    `;
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
      pythonCode`
        import resource
        def f():
            resource.setrlimit(resource.RLIMIT_AS, (2**28, 2**28))
            return len(bytearray(2**30))
      `,
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
    await until(() => state().zombies === 0 && state().fds <= first.fds + 3);
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
