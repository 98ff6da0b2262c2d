import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const handler = `
import os, time
calls = 0
def handler(job):
    global calls
    calls += 1
    time.sleep(job["input"].get("seconds", 0))
    said = {"calls": calls, "pid": os.getpid()}
    return {**said, "refresh_worker": job["input"].get("refresh", False)}
`;

interface Said {
  readonly status: string;
  readonly output: { readonly calls: number; readonly pid: number };
}

/** A process that serves clients by itself, with a deployed handler. */
class Served {
  readonly #directory = mkdtempSync(join(tmpdir(), 'flash-test-'));
  readonly #child: ChildProcess;
  readonly ended: Promise<unknown>;
  #log = '';

  constructor(args: readonly string[], env: Record<string, string> = {}) {
    writeFileSync(join(this.#directory, 'handler_counter.py'), handler);
    this.#child = spawn(process.execPath, ['--conditions=source', path('../src/main.ts'), ...args], {
      env: {
        ...process.env,
        FLASH_PYTHON: process.env.FLASH_PYTHON ?? path('../../../.venv/bin/python'),
        FLASH_APP_DIR: this.#directory,
        FLASH_RESOURCE_NAME: 'counter',
        HOST: '127.0.0.1',
        ...env,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#log += text;
    });
  }

  async port(): Promise<number> {
    for (let tries = 0; tries < 1000; tries++) {
      const port = /"port":(\d+)/.exec(this.#log)?.[1];
      if (port !== undefined) return Number(port);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(this.#log);
  }

  async call(route: string, input: object): Promise<Said> {
    const body = JSON.stringify({ input });
    const response = await fetch(`http://127.0.0.1:${await this.port()}${route}`, { method: 'POST', body });
    return (await response.json()) as Said;
  }

  stop(): void {
    this.#child.kill('SIGTERM');
  }

  async close(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

const api = ['--rp_serve_api', '--rp_api_host', '127.0.0.1', '--rp_api_port', '0'];

describe('a process that serves clients', () => {
  let served: Served;
  afterEach(() => served.close());

  it('answers a job that asks for a fresh worker, and goes on with one', async () => {
    served = new Served(api);
    const first = await served.call('/runsync', {});
    const last = await served.call('/runsync', { refresh: 1 });
    expect([first, last]).toMatchObject([
      { status: 'COMPLETED', output: { calls: 1 } },
      { status: 'COMPLETED', output: { calls: 2, pid: first.output.pid } },
    ]);
    const next = await served.call('/runsync', {});
    expect(next).toMatchObject({ status: 'COMPLETED', output: { calls: 1 } });
    expect(next.output.pid).not.toBe(last.output.pid);
  }, 60_000);

  it('lets the other jobs of the old worker end, while new ones run', async () => {
    served = new Served([...api, '--rp_api_concurrency', '3']);
    const slow = served.call('/runsync', { seconds: 2.5 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await served.call('/runsync', { refresh: 'yes' });
    const began = performance.now();
    expect(await served.call('/runsync', {})).toMatchObject({ status: 'COMPLETED' });
    expect(performance.now() - began).toBeLessThan(2000);
    expect(await slow).toMatchObject({ status: 'COMPLETED', output: { calls: expect.any(Number) } });
  }, 60_000);

  it('does the same at the realtime port', async () => {
    served = new Served([], { RUNPOD_REALTIME_PORT: '0' });
    const last = await served.call('/local/realtime', { refresh: true });
    expect(last).toEqual({ output: { calls: 1, pid: expect.any(Number) }, stopPod: true });
    const next = await served.call('/local/realtime', {});
    expect(next.output.calls).toBe(1);
    expect(next.output.pid).not.toBe(last.output.pid);
  }, 60_000);

  it('answers who waits for a job that ends while it is asked to end', async () => {
    served = new Served(api);
    await served.call('/runsync', {});
    const slow = served.call('/runsync', { seconds: 1.2 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    served.stop();
    expect(await slow).toMatchObject({ status: 'COMPLETED', output: { calls: 2 } });
    expect(await served.ended).toBe(0);
  }, 60_000);
});
