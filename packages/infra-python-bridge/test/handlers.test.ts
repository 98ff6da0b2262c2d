import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Execution, RunOptions } from '@flash/worker-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Bridge, returned } from './bridge.ts';

let directory: string;
let number = 0;
let bridge: Bridge;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'flash-test-'));
});
afterEach(() => bridge.close());
afterAll(() => rmSync(directory, { recursive: true }));

function handlerFile(code: string): string {
  const file = join(directory, `handler_${++number}.py`);
  writeFileSync(file, code);
  return file;
}

function run(file: string, input: unknown, options: Partial<RunOptions> = {}): Promise<Execution> {
  const request = { id: options.requestId ?? 'j1', input };
  const bytes = new TextEncoder().encode(JSON.stringify(request));
  return bridge.executor.run(
    { kind: 'handler', file, serializationFormat: 'json', payload: { bytes, requestAt: 'root', request } },
    { requestId: 'j1', ...options },
  );
}

/** Collects chunks; each one takes so long to be passed on. */
function collector(delayMs = 0): { chunks: unknown[]; onChunk: (json: Uint8Array) => Promise<void> } {
  const chunks: unknown[] = [];
  return {
    chunks,
    onChunk: async (json) => {
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      chunks.push(JSON.parse(new TextDecoder().decode(json)));
    },
  };
}

describe('handlers', () => {
  it.each([
    ['a function', 'def handler(job): return {"id": job["id"], "n": job["input"]["n"] + 1}'],
    ['a coroutine', 'async def handler(job): return {"id": job["id"], "n": job["input"]["n"] + 1}'],
    [
      'a function that returns a coroutine',
      'async def g(job): return {"id": job["id"], "n": 2}\ndef handler(job): return g(job)',
    ],
    [
      'a callable object',
      'class H:\n def __call__(self, job): return {"id": job["id"], "n": 2}\nhandler = H()',
    ],
  ])('runs %s with the whole job, plain JSON in and out', async (_, code) => {
    bridge = new Bridge();
    const execution = await run(handlerFile(code), { n: 1 });
    expect(returned(execution)).toEqual({ id: 'j1', n: 2 });
    expect(execution).toMatchObject({ handler: { isStream: false, refreshWorker: false } });
    expect(execution.instanceId).toBeUndefined();
  });

  it('loads the file once, and finds modules beside it first', async () => {
    bridge = new Bridge();
    writeFileSync(join(directory, 'colorsys.py'), 'name = "of the app"');
    const file = handlerFile(
      'import colorsys\nprint("loading")\ncount = 0\ndef handler(job):\n global count\n count += 1\n return [count, colorsys.name]',
    );
    const first = await run(file, 1);
    const second = await run(file, 1);
    expect([returned(first), returned(second)]).toEqual([
      [1, 'of the app'],
      [2, 'of the app'],
    ]);
    expect([first.output, second.output]).toEqual(['loading\n', '']);
  });

  it.each([
    ['{"error": "no luck", "a": 1}', { error: 'no luck', refreshWorker: false }, { a: 1 }],
    ['{"error": {"code": 7}}', { error: '{"code": 7}', refreshWorker: false }, undefined],
    ['{"error": None, "a": 1}', { refreshWorker: false }, { a: 1 }],
    ['{"refresh_worker": True, "a": 1}', { refreshWorker: true }, { a: 1 }],
    ['{"refresh_worker": True}', { refreshWorker: true }, undefined],
    ['{}', { refreshWorker: false }, undefined],
    ['False', { refreshWorker: false }, false],
    ['None', { refreshWorker: false }, null],
    ['"text"', { refreshWorker: false }, 'text'],
  ])('lifts out of %s what is no output', async (value, said, output) => {
    bridge = new Bridge();
    const execution = await run(handlerFile(`def handler(job): return ${value}`), 1);
    expect(execution.handler).toEqual({ isStream: false, error: undefined, ...said });
    expect(execution.result === undefined ? undefined : returned(execution)).toEqual(output);
  });

  it('tells type, message and traceback of an exception', async () => {
    bridge = new Bridge();
    const execution = await run(handlerFile('def handler(job):\n    raise KeyError("missing")'), 1);
    expect(execution.end).toBe('raised');
    expect(execution.failure).toEqual({
      type: "<class 'KeyError'>",
      message: "'missing'",
      traceback: expect.stringMatching(/handler_\d+\.py", line 2, in handler\n.*raise KeyError/s),
    });
    expect(execution.failure?.traceback).not.toContain('flash_runner');
  });

  it.each([
    ['a file that can’t be imported', 'import a_module_that_is_nowhere', 'a_module_that_is_nowhere'],
    ['a file without a handler', 'def other(): pass', "defines no function 'handler'"],
    ['a result that is no JSON', 'def handler(job): return {1, 2}', 'is not JSON'],
  ])('names what is wrong with %s', async (_, code, reason) => {
    bridge = new Bridge();
    const execution = await run(handlerFile(code), 1);
    expect(execution.error).toContain(reason);
    expect(execution.failure?.message).toContain(reason);
  });

  it.each([
    ['a generator', 'def handler(job):\n for i in range(job["input"]): yield {"i": i}'],
    ['an async generator', 'async def handler(job):\n for i in range(job["input"]): yield {"i": i}'],
    [
      'a function that returns a generator',
      'def g(n):\n for i in range(n): yield {"i": i}\ndef handler(job): return g(job["input"])',
    ],
    [
      'a function that returns an async generator',
      'async def g(n):\n for i in range(n): yield {"i": i}\ndef handler(job): return g(job["input"])',
    ],
  ])('streams what %s yields, all of it before the end', async (_, code) => {
    bridge = new Bridge({ FLASH_STREAM_WINDOW: 3 });
    const { chunks, onChunk } = collector(2);
    const execution = await run(handlerFile(code), 20, { onChunk });
    expect(chunks).toEqual(Array.from({ length: 20 }, (_value, i) => ({ i })));
    expect(execution).toMatchObject({ end: 'returned', handler: { isStream: true } });
    expect((await run(handlerFile('def handler(job): return "next"'), 1)).end).toBe('returned');
  });

  it.each(['', 'async '])('holds an %sgenerator back until its chunks are passed on', async (kind) => {
    bridge = new Bridge({ FLASH_STREAM_WINDOW: 2 });
    const file = handlerFile(
      `made = 0\n${kind}def handler(job):\n global made\n for i in range(10):\n  made += 1\n  print(made, flush=True)\n  yield i`,
    );
    const release = Promise.withResolvers<void>();
    let made = '';
    const running = run(file, 1, {
      onChunk: () => release.promise,
      onOutput: (bytes) => {
        made += new TextDecoder().decode(bytes);
      },
    });
    const last = (): string | undefined => made.trim().split('\n').at(-1);
    while (last() !== '3') await new Promise((resolve) => setTimeout(resolve, 20));
    // The generator would go on at once if nothing held it back.
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(last()).toBe('3');
    release.resolve();
    expect((await running).end).toBe('returned');
  });

  it('ends a stream with the error that a chunk carries', async () => {
    bridge = new Bridge();
    const { chunks, onChunk } = collector();
    const file = handlerFile(
      'def handler(job):\n yield 1\n yield {"error": "out of luck", "at": 2}\n yield 3',
    );
    const execution = await run(file, 1, { onChunk });
    expect([chunks, execution.handler?.error]).toEqual([[1, { error: 'out of luck', at: 2 }], 'out of luck']);
  });

  it.each(['', 'async '])(
    'fails when a chunk of an %sgenerator is refused, and the next job is fine',
    async (kind) => {
      bridge = new Bridge({ FLASH_STREAM_WINDOW: 1 });
      const file = handlerFile(`${kind}def handler(job):\n for i in range(job["input"]): yield i`);
      let count = 0;
      const execution = await run(file, 1000, {
        onChunk: () => (++count > 3 ? Promise.reject(new Error('no room')) : Promise.resolve()),
      });
      expect(execution).toMatchObject({ end: 'raised', error: expect.stringContaining('no room') });
      expect(count).toBe(4);
      const { chunks, onChunk } = collector();
      await run(file, 2, { onChunk });
      expect(chunks).toEqual([0, 1]);
    },
  );

  it('fails also when the last chunk is refused after the generator has ended', async () => {
    bridge = new Bridge();
    const execution = await run(handlerFile('def handler(job):\n yield 1'), 1, {
      onChunk: async () => {
        await new Promise((resolve) => setTimeout(resolve, 100));
        throw new Error('too late');
      },
    });
    expect(execution).toMatchObject({ end: 'raised', error: expect.stringContaining('too late') });
  });

  it.each(['', 'async '])('cancels an %sgenerator that waits for its chunks', async (kind) => {
    bridge = new Bridge({ FLASH_STREAM_WINDOW: 1 });
    const file = handlerFile(`${kind}def handler(job):\n n = 0\n while True:\n  n += 1\n  yield n`);
    const stop = new AbortController();
    const running = run(file, 1, {
      signal: stop.signal,
      onChunk: () => new Promise((resolve) => stop.signal.addEventListener('abort', () => resolve())),
    });
    setTimeout(() => stop.abort(), 200);
    expect((await running).end).toBe('cancelled');
  });

  it('runs async handlers side by side in one process, their output apart', async () => {
    bridge = new Bridge();
    const file = handlerFile(
      'import asyncio, os\nasync def handler(job):\n print("begin", job["id"])\n await asyncio.sleep(0.2)\n print("end", job["id"])\n return os.getpid()',
    );
    await run(file, 1);
    const startedAt = performance.now();
    const all = await Promise.all(['a', 'b', 'c'].map((id) => run(file, 1, { requestId: id })));
    expect(performance.now() - startedAt).toBeLessThan(550);
    expect(new Set(all.map(returned)).size).toBe(1);
    expect(all.map(({ output }) => output)).toEqual(['a', 'b', 'c'].map((id) => `begin ${id}\nend ${id}\n`));
  });

  it('loads the handler anew after its process has died', async () => {
    bridge = new Bridge();
    const file = handlerFile(
      'import os\ndef handler(job):\n if job["input"] == "die": os._exit(3)\n return "alive"',
    );
    await run(file, 1);
    const dead = await run(file, 'die');
    expect(dead).toMatchObject({ end: 'crashed', error: expect.stringContaining('exit code 3') });
    expect(dead.error).not.toContain('instance');
    expect(returned(await run(file, 1))).toBe('alive');
  });
});

describe('progress', () => {
  const followed = async (code: string, input: unknown = 1): Promise<unknown[]> => {
    bridge = new Bridge();
    const seen: unknown[] = [];
    const execution = await run(handlerFile(code), input, {
      onProgress: (json) => seen.push(JSON.parse(new TextDecoder().decode(json))),
    });
    if (execution.end !== 'returned') throw new Error(execution.error);
    return seen;
  };

  it('report the progress of each of their jobs', async () => {
    bridge = new Bridge();
    const file = handlerFile(
      'from flash_runner import progress\ndef handler(job):\n progress.update(job["input"])\n return 1',
    );
    for (const job of ['first', 'second']) {
      const seen: string[] = [];
      await run(file, job, { onProgress: (json) => seen.push(new TextDecoder().decode(json)) });
      expect(seen).toEqual([JSON.stringify(job)]);
    }
  });

  it('of a handler, through the module of the runner', async () => {
    const code =
      'from flash_runner import progress\ndef handler(job):\n progress.update({"done": 1})\n progress.update("half")\n return 1';
    expect(await followed(code)).toEqual([{ done: 1 }, 'half']);
  });

  it('of threads and of overlapping jobs', async () => {
    const code =
      'import asyncio, threading\nfrom flash_runner import progress\nasync def handler(job):\n t = threading.Thread(target=progress.update, args=("thread",))\n t.start(); t.join()\n await asyncio.to_thread(progress.update, "pool")\n return 1';
    expect(await followed(code)).toEqual(['thread', 'pool']);
  });

  it('of a child process belongs to no job, and kills nothing', async () => {
    const code =
      'import os\nfrom flash_runner import progress\ndef handler(job):\n pid = os.fork()\n if pid == 0:\n  progress.update("child")\n  os._exit(7)\n return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])';
    bridge = new Bridge();
    const seen: unknown[] = [];
    expect(returned(await run(handlerFile(code), 1, { onProgress: (json) => seen.push(json) }))).toBe(7);
    expect(seen).toEqual([]);
  });

  it('must be JSON, and may be reported outside of a request', async () => {
    const code =
      'from flash_runner import progress\nprogress.update("while loading")\ndef handler(job):\n try:\n  progress.update({1, 2})\n except TypeError as error:\n  return str(error)';
    bridge = new Bridge();
    expect(returned(await run(handlerFile(code), 1))).toContain('not JSON serializable');
  });

  it('of a live function', async () => {
    bridge = new Bridge();
    const seen: string[] = [];
    await bridge.run(
      'from flash_runner import progress\ndef f():\n progress.update(0.5)',
      {},
      {
        onProgress: (json) => seen.push(new TextDecoder().decode(json)),
      },
    );
    expect(seen).toEqual(['0.5']);
  });
});
