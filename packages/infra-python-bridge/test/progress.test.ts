import type { Execution, RunOptions } from '@flash/worker-core';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { pythonCode } from '../../../scripts/lib/python-code.ts';
import { Bridge, returned } from './bridge.ts';
import { HandlerFiles, runHandler } from './handler-files.ts';

const files = new HandlerFiles();
let bridge: Bridge;
afterEach(() => bridge.close());
afterAll(() => files.remove());

const run = (file: string, input: unknown, options: Partial<RunOptions> = {}): Promise<Execution> =>
  runHandler(bridge, file, input, options);

describe('progress', () => {
  const progressOf = async (code: string, input: unknown = 1): Promise<unknown[]> => {
    bridge = new Bridge();
    const seen: unknown[] = [];
    const execution = await run(files.add(code), input, {
      onProgress: (json) => seen.push(JSON.parse(new TextDecoder().decode(json))),
    });
    if (execution.end !== 'returned') throw new Error(execution.error);
    return seen;
  };

  it('of each job reaches that job', async () => {
    bridge = new Bridge();
    const file = files.add(
      pythonCode`
        from flash_runner import progress
        def handler(job):
            progress.update(job["input"])
            return 1
      `,
    );
    for (const job of ['first', 'second']) {
      const seen: string[] = [];
      await run(file, job, { onProgress: (json) => seen.push(new TextDecoder().decode(json)) });
      expect(seen).toEqual([JSON.stringify(job)]);
    }
  });

  it('of a handler, through the module of the runner', async () => {
    const code = pythonCode`
      from flash_runner import progress
      def handler(job):
          progress.update({"done": 1})
          progress.update("half")
          return 1
    `;
    expect(await progressOf(code)).toEqual([{ done: 1 }, 'half']);
  });

  it('of threads and of overlapping jobs', async () => {
    const code = pythonCode`
      import asyncio, threading
      from flash_runner import progress
      async def handler(job):
          t = threading.Thread(target=progress.update, args=("thread",))
          t.start(); t.join()
          await asyncio.to_thread(progress.update, "pool")
          return 1
    `;
    expect(await progressOf(code)).toEqual(['thread', 'pool']);
  });

  it('of a child process belongs to no job, and kills nothing', async () => {
    const code = pythonCode`
      import os
      from flash_runner import progress
      def handler(job):
          pid = os.fork()
          if pid == 0:
              progress.update("child")
              os._exit(7)
          return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    `;
    bridge = new Bridge();
    const seen: unknown[] = [];
    expect(returned(await run(files.add(code), 1, { onProgress: (json) => seen.push(json) }))).toBe(7);
    expect(seen).toEqual([]);
  });

  it('must be JSON, and may be reported outside of a request', async () => {
    const code = pythonCode`
      from flash_runner import progress
      progress.update("while loading")
      def handler(job):
          try:
              progress.update({1, 2})
          except TypeError as error:
              return str(error)
    `;
    bridge = new Bridge();
    expect(returned(await run(files.add(code), 1))).toContain('not JSON serializable');
  });

  it('of a live function', async () => {
    bridge = new Bridge();
    const seen: string[] = [];
    await bridge.run(
      pythonCode`
        from flash_runner import progress
        def f():
            progress.update(0.5)
      `,
      {},
      {
        onProgress: (json) => seen.push(new TextDecoder().decode(json)),
      },
    );
    expect(seen).toEqual(['0.5']);
  });
});
