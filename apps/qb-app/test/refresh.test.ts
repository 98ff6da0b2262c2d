import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Gate } from '../../../scripts/lib/gate.ts';
import { ServedProcess } from './served-process.ts';

const handler = `
import asyncio, os
calls = 0
async def handler(job):
    global calls
    calls += 1
    gate = job["input"].get("gate")
    if gate:
        open(os.path.join(gate, "come"), "w").close()
        while os.path.exists(gate): await asyncio.sleep(0.01)
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
  });

  it('lets the other jobs of the old worker end, while new ones run', async () => {
    served = new ServedProcess([...api, '--rp_api_concurrency', '3'], {}, handler);
    const gate = new Gate();
    const slow = call('/runsync', { gate: gate.path });
    await gate.come();
    await call('/runsync', { refresh: 'yes' });
    expect(await call('/runsync', {})).toMatchObject({ status: 'COMPLETED' });
    gate.open();
    expect(await slow).toMatchObject({ status: 'COMPLETED', output: { calls: expect.any(Number) } });
  });

  it('does the same at the realtime port', async () => {
    served = new ServedProcess([], { RUNPOD_REALTIME_PORT: '0' }, handler);
    const last = await call('/local/realtime', { refresh: true });
    expect(last).toEqual({ output: { calls: 1, pid: expect.any(Number) }, stopPod: true });
    const next = await call('/local/realtime', {});
    expect(next.output.calls).toBe(1);
    expect(next.output.pid).not.toBe(last.output.pid);
  });

  it('answers who waits for a job that ends while it is asked to end', async () => {
    served = new ServedProcess(api, {}, handler);
    await call('/runsync', {});
    const gate = new Gate();
    const slow = call('/runsync', { gate: gate.path });
    await gate.come();
    served.stop();
    await delay(300);
    gate.open();
    expect(await slow).toMatchObject({ status: 'COMPLETED', output: { calls: 2 } });
    expect(await served.ended).toBe(0);
  });
});
