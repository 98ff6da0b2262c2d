import type { Execution, RunOptions } from '@flash/worker-core';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { pythonCode } from '../../../scripts/lib/python-code.ts';
import { Bridge } from './bridge.ts';
import { HandlerFiles, runHandler } from './handler-files.ts';

const files = new HandlerFiles();
let bridge: Bridge;
afterEach(() => bridge.close());
afterAll(() => files.remove());

const run = (file: string, input: unknown, options: Partial<RunOptions> = {}): Promise<Execution> =>
  runHandler(bridge, file, input, options);

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

describe('generators of handlers', () => {
  it.each([
    ['a generator', 'def handler(job):\n for i in range(job["input"]): yield {"i": i}'],
    ['an async generator', 'async def handler(job):\n for i in range(job["input"]): yield {"i": i}'],
    [
      'a function that returns a generator',
      pythonCode`
        def g(n):
            for i in range(n): yield {"i": i}
        def handler(job): return g(job["input"])
      `,
    ],
    [
      'a function that returns an async generator',
      pythonCode`
        async def g(n):
            for i in range(n): yield {"i": i}
        def handler(job): return g(job["input"])
      `,
    ],
  ])('streams what %s yields, all of it before the end', async (_, code) => {
    bridge = new Bridge({ FLASH_STREAM_WINDOW: 3 });
    const { chunks, onChunk } = collector(2);
    const execution = await run(files.add(code), 20, { onChunk });
    expect(chunks).toEqual(Array.from({ length: 20 }, (_value, i) => ({ i })));
    expect(execution).toMatchObject({ end: 'returned', handler: { isStream: true } });
    expect((await run(files.add('def handler(job): return "next"'), 1)).end).toBe('returned');
  });

  it.each(['', 'async '])('holds an %sgenerator back until its chunks are passed on', async (kind) => {
    bridge = new Bridge({ FLASH_STREAM_WINDOW: 2 });
    const file = files.add(
      pythonCode`
        made = 0
        ${kind}def handler(job):
            global made
            for i in range(10):
                made += 1
                print(made, flush=True)
                yield i
      `,
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
    const file = files.add(
      pythonCode`
        def handler(job):
            yield 1
            yield {"error": "out of luck", "at": 2}
            yield 3
      `,
    );
    const execution = await run(file, 1, { onChunk });
    expect([chunks, execution.handler?.error]).toEqual([[1, { error: 'out of luck', at: 2 }], 'out of luck']);
  });

  it.each(['', 'async '])(
    'fails when a chunk of an %sgenerator is refused, and the next job is fine',
    async (kind) => {
      bridge = new Bridge({ FLASH_STREAM_WINDOW: 1 });
      const file = files.add(`${kind}def handler(job):\n for i in range(job["input"]): yield i`);
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
    const execution = await run(files.add('def handler(job):\n yield 1'), 1, {
      onChunk: async () => {
        await new Promise((resolve) => setTimeout(resolve, 100));
        throw new Error('too late');
      },
    });
    expect(execution).toMatchObject({ end: 'raised', error: expect.stringContaining('too late') });
  });

  it.each(['', 'async '])('cancels an %sgenerator that waits for its chunks', async (kind) => {
    bridge = new Bridge({ FLASH_STREAM_WINDOW: 1 });
    const file = files.add(pythonCode`
      ${kind}def handler(job):
          n = 0
          while True:
              n += 1
              yield n
    `);
    const stop = new AbortController();
    const running = run(file, 1, {
      signal: stop.signal,
      onChunk: () => new Promise((resolve) => stop.signal.addEventListener('abort', () => resolve())),
    });
    setTimeout(() => stop.abort(), 200);
    expect((await running).end).toBe('cancelled');
  });
});
