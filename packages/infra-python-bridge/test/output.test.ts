import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Gate } from '../../../scripts/lib/gate.ts';
import { pythonCode } from '../../../scripts/lib/python-code.ts';
import { Bridge, returned } from './bridge.ts';

describe('output', () => {
  let bridge: Bridge;
  beforeAll(() => {
    bridge = new Bridge({ FLASH_MAX_RUNNERS: 1 });
  });
  afterAll(() => bridge.close());
  /** What a request is said to have printed that is at work while something else, held at a gate, prints too. */
  async function outputWhile(late: Gate): Promise<string> {
    const mine = new Gate();
    const run = bridge.run(`def f():\n    ${mine.wait}\n    print("mine")`);
    await mine.come();
    late.open();
    await delay(300);
    mine.open();
    return (await run).output;
  }

  it('keeps the order of prints, stderr, child processes and C code', async () => {
    const code = pythonCode`
      import os, subprocess, sys, logging
      def f():
          print("one")
          print("two", file=sys.stderr)
          os.system("echo three")
          os.write(1, b"four\n")
          subprocess.run(["sh", "-c", "echo five >&2"])
          logging.getLogger("app").info("six")
          print("seven", end="")
    `;
    expect((await bridge.run(code)).output).toBe('one\ntwo\nthree\nfour\nfive\nINFO:app:six\nseven');
  });

  it('streams as it is printed, not at the end', async () => {
    const gates = [new Gate(), new Gate(), new Gate()];
    const code = pythonCode`
      def f():
          print("tick")
          ${gates[0]?.wait ?? ''}
          print("tack")
          ${gates[1]?.wait ?? ''}
          print("tock")
          ${gates[2]?.wait ?? ''}
    `;
    const heard: string[] = [];
    // Each line that is heard lets the function go on to the next.
    const onOutput = (bytes: Uint8Array): void =>
      gates[heard.push(Buffer.from(bytes).toString()) - 1]?.open();
    expect((await bridge.run(code, {}, { onOutput })).end).toBe('returned');
    expect(heard).toEqual(['tick\n', 'tack\n', 'tock\n']);
  });

  it('keeps head and tail of 100 MB and says how much was cut', async () => {
    const { end, output } = await bridge.run(
      pythonCode`
        def f():
            print("head")
            line = "x" * 99_999
            for _ in range(1000): print(line)
            print("tail")
      `,
    );
    expect(end).toBe('returned');
    // Not toMatch: a failure would print all of it.
    expect(
      /^head\n[x\n]+\[… \d+ bytes of output cut; raise FLASH_MAX_OUTPUT_BYTES to keep more …\]\n[x\n]+tail\n$/.test(
        output,
      ),
    ).toBe(true);
    expect(Buffer.byteLength(output)).toBeLessThan(1024 * 1024 + 200);
  });

  it('shows bytes that are no UTF-8', async () => {
    const { output } = await bridge.run(
      pythonCode`
        import sys
        def f():
            sys.stdout.buffer.write(b"\xff\xfeok\n")
            print("\udc80")
      `,
    );
    expect(output).toBe('\ufffd\ufffdok\n\\udc80\n');
  });

  it('of a thread that outlives its request is not in the next one', async () => {
    const late = new Gate();
    const thread = pythonCode`
      import threading
      def later():
          ${late.wait}
          print("LATE")
      def f():
          threading.Thread(target=later).start()
          print("now")
    `;
    expect((await bridge.run(thread)).output).toBe('now\n');
    expect(await outputWhile(late)).toBe('mine\n');
  });

  it('of a child that outlives its request is not in the next one', async () => {
    const late = new Gate();
    const child = pythonCode`
      import subprocess
      def f():
          subprocess.Popen("while [ -e ${late.path} ]; do sleep 0.05; done; echo LATE", shell=True)
          print("now")
    `;
    expect((await bridge.run(child)).output).toBe('now\n');
    expect(await outputWhile(late)).toBe('mine\n');
  });

  it('of a daemon that outlives its request is not in the next one', async () => {
    const late = new Gate();
    const daemon = pythonCode`
      import os
      def f():
          os.system("setsid sh -c 'while [ -e ${late.path} ]; do sleep 0.05; done; echo LATE' &")
          print("now")
    `;
    expect((await bridge.run(daemon)).output).toBe('now\n');
    expect(await outputWhile(late)).toBe('mine\n');
  });

  it('works after user code closed or replaced its streams', async () => {
    await bridge.run(pythonCode`
      import os, sys
      def f():
          sys.stdout = None
          os.close(1); os.close(2)
    `);
    const execution = await bridge.run(
      pythonCode`
        import os
        def f():
            print("one"); os.system("echo two")
            return 3
      `,
    );
    expect(execution.output).toBe('one\ntwo\n');
    expect(returned(execution)).toBe(3);
  });

  it('finds /dev/stdout', async () => {
    expect(
      (await bridge.run('def f():\n with open("/dev/stdout", "w") as out: out.write("there\\n")')).output,
    ).toBe('there\n');
  });

  it('holds a whole log handler of the user, put back for the next request', async () => {
    await bridge.run(pythonCode`
      import logging
      def f():
          logging.basicConfig(force=True, level=logging.ERROR)
    `);
    expect((await bridge.run('import logging\ndef f(): logging.info("seen")')).output).toBe(
      'INFO:root:seen\n',
    );
  });
});
