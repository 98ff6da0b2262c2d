import { execFile, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

const main = ['--conditions=source', fileURLToPath(new URL('../src/main.ts', import.meta.url))];

async function gateway(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, [...main, ...args])) };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
}

async function serving<T>(args: string[], work: (url: string) => Promise<T>): Promise<T> {
  const child = spawn(process.execPath, [...main, '--port', '0', ...args], {
    env: { ...process.env, FLASH_GATEWAY_POLL_MS: '50', FLASH_GATEWAY_MAX_RESULT_BYTES: '100' },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  let log = '';
  const url = await new Promise<string>((resolve) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text;
      const port = /"port":(\d+)/.exec(log)?.[1];
      if (port) resolve(`http://127.0.0.1:${port}/v2/ep`);
    });
  });
  try {
    return await work(url);
  } finally {
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
  }
}

describe('the gateway as a program', () => {
  it('lists its flags', async () => {
    const { code, stdout } = await gateway('--help');
    expect([code, stdout]).toEqual([0, expect.stringContaining('--fault-rate')]);
  });

  it.each([
    [['--fault-rate', '2'], 'fault-rate'],
    [['--fault-kinds', 'earthquake'], 'fault-kinds'],
    [['--fault-statuses', '200'], 'fault-statuses'],
    [['--port', 'many'], 'port'],
    [['--unknown', '1'], '--help lists the flags'],
  ])('refuses %j and says why', async (args, reason) => {
    const { code, stderr } = await gateway(...args);
    expect([code, stderr]).toEqual([1, expect.stringContaining(reason)]);
  });

  it('speaks the protocol with a worker', () =>
    serving([], async (url) => {
      const get = async (path: string) => {
        const answer = await fetch(`${url}/${path}`);
        return [answer.status, answer.status === 200 ? await answer.json() : undefined];
      };
      const post = async (path: string, body: string) =>
        (await fetch(`${url}/${path}`, { method: 'POST', body })).status;
      expect(await get('job-take/w')).toEqual([204, undefined]);
      const { id } = (await (
        await fetch(`${url}/run`, { method: 'POST', body: '{"input":{"a":"}"}}' })
      ).json()) as { id: string };
      expect(await get('job-take/w')).toEqual([200, { input: { a: '}' }, id }]);
      expect(await get('job-take-batch/w?batch_size=3')).toEqual([204, undefined]);
      expect((await get('job-take-batch/w?batch_size=x'))[0]).toBe(400);
      expect(await get(`ping/w?job_id=${id}`)).toEqual([200, {}]);
      expect(await post(`job-done/w/${id}`, 'no json')).toBe(400);
      expect(await post(`job-done/w/${id}`, '[]')).toBe(400);
      expect(await post(`job-done/w/${id}`, JSON.stringify({ output: 'x'.repeat(200) }))).toBe(400);
      expect(await post(`job-done/w/${id}`, '{"status":"IN_PROGRESS","output":1}')).toBe(200);
      expect(await get(`status/${id}`)).toEqual([
        200,
        expect.objectContaining({ status: 'IN_PROGRESS', output: 1, workerId: 'w' }),
      ]);
      // The platform takes an error that is no text for none.
      expect(await post(`job-done/w/${id}`, '{"error":{"a":1}}')).toBe(200);
      expect(await get(`status/${id}`)).toEqual([200, expect.objectContaining({ status: 'COMPLETED' })]);
      expect((await get('health'))[1]).toMatchObject({ workers: { ready: 1 }, jobs: { completed: 1 } });
    }));

  it('has calls of workers go wrong, and none of clients', () =>
    serving(['--fault-rate', '1', '--fault-kinds', 'status', '--fault-statuses', '503'], async (url) => {
      expect((await fetch(`${url}/job-take/w`)).status).toBe(503);
      expect((await fetch(`${url}/health`)).status).toBe(200);
    }));

  it('shows jobs and workers in its console, and that runners are elsewhere', () =>
    serving([], async (url) => {
      const { origin } = new URL(url);
      const page = await fetch(`${origin}/`);
      expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
      expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
      for (const path of (await page.text()).matchAll(/(?:href|src)="(\/[^"]+)"/g))
        expect((await fetch(`${origin}${path[1]}`)).status).toBe(200);
      expect((await fetch(`${origin}/console/..%2f..%2fpackage.json`)).status).toBe(404);
      const submit = (input: object): Promise<Response> =>
        fetch(`${url}/run`, { method: 'POST', body: JSON.stringify({ input }) });
      await submit({ function_name: 'f' });
      await submit({ class_name: 'C', method_name: 'm' });
      await submit({ prompt: 'of an app' });
      await fetch(`${url}/job-take/w`);
      await fetch(`${url}/ping/sick?status=unhealthy&check=disk&reason=full`);
      const overview = (await (await fetch(`${origin}/console/overview`)).json()) as Record<string, unknown>;
      expect(overview).toMatchObject({
        olderJobs: 0,
        jobs: [
          { endpoint: 'ep', label: '', status: 'IN_QUEUE', steps: [] },
          { label: 'C.m', status: 'IN_QUEUE' },
          { label: 'f', status: 'IN_PROGRESS', workerId: 'w', deliveries: 1 },
        ],
        workers: [
          { id: 'w', endpoint: 'ep', jobsInProgress: 1 },
          { id: 'sick', unhealthy: 'disk: full', jobsInProgress: 0 },
        ],
      });
      expect(overview.runners).toBeUndefined();
    }));

  it('takes jobs from programs and its own page, not from pages of other sites', () =>
    serving([], async (url) => {
      const from = async (origin: string): Promise<number> => {
        const body = '{"input":{}}';
        return (await fetch(`${url}/run`, { method: 'POST', body, headers: { origin } })).status;
      };
      expect(await from(new URL(url).origin)).toBe(200);
      for (const origin of ['http://elsewhere.example', 'null', `${new URL(url).protocol}//127.0.0.1:1`])
        expect([origin, await from(origin)]).toEqual([origin, 403]);
    }));
});
