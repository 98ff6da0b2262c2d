import { afterEach, describe, expect, it } from '@jest/globals';
import { ServedProcess } from './served-process.ts';

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

const api = ['--rp_serve_api', '--rp_api_host', '127.0.0.1', '--rp_api_port', '0'];

describe('a process that serves clients', () => {
  let served: ServedProcess;
  const call = (route: string, input: object): Promise<Said> => served.call<Said>(route, input);
  afterEach(() => served.close());

  it('answers a job that asks for a fresh worker, and goes on with one', async () => {
    served = new ServedProcess(api, {}, handler);
    const first = await call('/runsync', {});
    const last = await call('/runsync', { refresh: 1 });
    expect([first, last]).toMatchObject([
      { status: 'COMPLETED', output: { calls: 1 } },
      { status: 'COMPLETED', output: { calls: 2, pid: first.output.pid } },
    ]);
    const next = await call('/runsync', {});
    expect(next).toMatchObject({ status: 'COMPLETED', output: { calls: 1 } });
    expect(next.output.pid).not.toBe(last.output.pid);
  }, 60_000);

  it('lets the other jobs of the old worker end, while new ones run', async () => {
    served = new ServedProcess([...api, '--rp_api_concurrency', '3'], {}, handler);
    const slow = call('/runsync', { seconds: 2.5 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await call('/runsync', { refresh: 'yes' });
    const began = performance.now();
    expect(await call('/runsync', {})).toMatchObject({ status: 'COMPLETED' });
    expect(performance.now() - began).toBeLessThan(2000);
    expect(await slow).toMatchObject({ status: 'COMPLETED', output: { calls: expect.any(Number) } });
  }, 60_000);

  it('does the same at the realtime port', async () => {
    served = new ServedProcess([], { RUNPOD_REALTIME_PORT: '0' }, handler);
    const last = await call('/local/realtime', { refresh: true });
    expect(last).toEqual({ output: { calls: 1, pid: expect.any(Number) }, stopPod: true });
    const next = await call('/local/realtime', {});
    expect(next.output.calls).toBe(1);
    expect(next.output.pid).not.toBe(last.output.pid);
  }, 60_000);

  it('answers who waits for a job that ends while it is asked to end', async () => {
    served = new ServedProcess(api, {}, handler);
    await call('/runsync', {});
    const slow = call('/runsync', { seconds: 1.2 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    served.stop();
    expect(await slow).toMatchObject({ status: 'COMPLETED', output: { calls: 2 } });
    expect(await served.ended).toBe(0);
  }, 60_000);
});
