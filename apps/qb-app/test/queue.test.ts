import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { clientsPython } from '../../../scripts/lib/clients-python.ts';
import { pythonCode } from '../../../scripts/lib/python-code.ts';
import { live, measuredMs, Queue, until, wait, type Worker, workerKey } from './queue-worker.ts';

const add = live('def f(a, b): return a + b', 1, 2);
const loop = live('def f():\n while True: pass');
const sleep = (seconds: number): object =>
  live(
    pythonCode`
      def f(s):
          import time
          time.sleep(s)
          return "slept"
    `,
    seconds,
  );

let queue: Queue;
afterEach(() => queue.close());

/** Deploys a generated handler. */
function deployed(code: string, manifest?: object): Record<string, string> {
  const directory = join(queue.directory, 'app');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'handler_gpu.py'), code);
  const path = join(directory, 'flash_manifest.json');
  if (manifest !== undefined) writeFileSync(path, JSON.stringify(manifest));
  return {
    FLASH_APP_DIR: directory,
    FLASH_RESOURCE_NAME: 'gpu',
    FLASH_MANIFEST_PATH: path,
    FLASH_DISABLE_UNPACK: '1',
  };
}

describe('jobs that carry a FunctionRequest', () => {
  it('are run and answered; what is wrong with one is its own error', async () => {
    queue = await Queue.open();
    queue.worker();
    const [good, failed, bad, none, after] = await Promise.all([
      queue.runsync(add),
      queue.runsync(live('def f(): raise ValueError("it broke")')),
      queue.runsync('text'),
      queue.runsync({ function_name: 7 }),
      queue.runsync(add),
    ]);
    expect(good).toMatchObject({
      status: 'COMPLETED',
      output: { success: true, json_result: 3 },
      workerId: 'w1',
    });
    expect(failed).toMatchObject({ status: 'FAILED', output: { success: false } });
    expect(failed.error).toMatch(/^it broke\nTraceback/);
    expect(bad).toMatchObject({ status: 'FAILED', error: expect.stringContaining('INVALID_REQUEST') });
    expect(none).toMatchObject({ status: 'FAILED', error: expect.stringContaining('function_name') });
    expect(after.status).toBe('COMPLETED');
  });

  it('are measured, on a port for metrics alone', async () => {
    queue = await Queue.open();
    const worker = queue.worker({ FLASH_METRICS_HOST: '127.0.0.1', FLASH_METRICS_PORT: '0' });
    await queue.runsync(add);
    await queue.runsync(live('def f(): raise ValueError("it broke")'));
    await queue.runsync('text');
    const url = /http:[^"\\]+\/metrics/.exec(worker.stdout)?.[0] ?? '';
    let text = '';
    // Who has the result may be faster than the worker's count.
    for (let tries = 0; tries < 200 && !text.includes('flash_jobs_in_progress 0\n'); tries++) {
      await wait(10);
      text = await (await fetch(url)).text();
    }
    expect(text.split('\n')).toEqual(
      expect.arrayContaining([
        'flash_jobs_taken_total 3',
        'flash_jobs_total{outcome="completed"} 1',
        'flash_jobs_total{outcome="failed"} 2',
        'flash_job_duration_seconds_count 3',
        'flash_requests_total{outcome="returned"} 1',
        expect.stringMatching(/^flash_runners\{state="idle"\} [1-9]/),
      ]),
    );
  });

  it('see nothing of the worker’s key and addresses, and no log shows them', async () => {
    queue = await Queue.open();
    const worker = queue.worker({ LOG_LEVEL: 'DEBUG' });
    const { output } = await queue.runsync(
      live(
        'import os\ndef f(): return [k for k in os.environ if "WEBHOOK" in k or k == "RUNPOD_AI_API_KEY"]',
      ),
    );
    expect(output).toMatchObject({ json_result: [] });
    await worker.kill('SIGTERM');
    expect(`${worker.stdout}${worker.stderr}`).not.toContain(workerKey);
  });

  it('have their lines in the platform’s format, live, under their id; so has everything else', async () => {
    queue = await Queue.open();
    const worker = queue.worker({ LOG_LEVEL: 'DEBUG' });
    const code = pythonCode`
      import os, sys, subprocess, time
      def f():
          print("from print")
          subprocess.run(["echo", "from a child"])
          os.write(2, b"from C\n")
          print("x" * 10000)
          sys.stdout.flush()
          time.sleep(1)
    `;
    const { id } = await queue.run(live(code));
    await worker.says('from C');
    expect((await queue.post(`status/${id}`)).status).toBe('IN_PROGRESS');
    await queue.runsync({ ...add, dependencies: ['a-package-nobody-has-ever-made==1'] });
    await worker.kill('SIGTERM');
    expect(worker.stderr).toBe('');
    const { lines } = worker;
    for (const line of lines) expect(Object.keys(line).sort()).toEqual(['level', 'message', 'requestId']);
    for (const text of ['from print', 'from a child', 'from C'])
      expect(lines).toContainEqual({ requestId: id, message: text, level: 'INFO' });
    const long = lines.find(({ message }) => message.startsWith('xxx'));
    expect(long?.message).toHaveLength(4096);
    expect(long?.message).toMatch(/^x+\n\[… \d+ characters cut …\]\nx+$/);
    expect(lines.some(({ message }) => message.includes('a-package-nobody-has-ever-made'))).toBe(true);
    expect(
      lines.some(({ requestId, message }) => requestId === null && message.startsWith('serving the queue')),
    ).toBe(true);
  }, 90_000);

  it('show progress, the last word is the result’s', async () => {
    queue = await Queue.open();
    queue.worker();
    const code = pythonCode`
      from flash_runner import progress
      import time
      def f():
          for i in range(3000):
              progress.update({"i": i})
              if i == 1000: time.sleep(0.6)
          return "done"
    `;
    const job = await queue.run(live(code));
    let seen: unknown;
    for (const end = Date.now() + 10_000; Date.now() < end && seen === undefined; await wait(20)) {
      const view = await queue.post(`status/${job.id}`);
      if (view.status === 'IN_PROGRESS') seen = view.output;
      if (view.status === 'COMPLETED') break;
    }
    expect(seen).toEqual({ i: expect.any(Number) });
    const record = await queue.gateway.store.find('ep', job.id);
    await queue.gateway.store.waitForEnd(record as NonNullable<typeof record>, 10_000);
    await wait(400);
    expect(record?.late).toEqual({ same: 0, other: 0, progress: 0 });
    expect(await queue.post(`status/${job.id}`)).toMatchObject({
      status: 'COMPLETED',
      output: { json_result: 'done' },
    });
  });

  it('may have results as large as the platform takes; larger ones are told why', async () => {
    queue = await Queue.open();
    queue.worker();
    const text = live('def f(n): return "x" * n', 20_000_000);
    const { status, output } = await queue.runsync(text);
    expect([status, (output as { json_result: string }).json_result.length]).toEqual([
      'COMPLETED',
      20_000_000,
    ]);
    const { id } = await queue.run(text);
    const record = await queue.gateway.store.find('ep', id);
    await queue.gateway.store.waitForEnd(record as NonNullable<typeof record>, 20_000);
    expect(await queue.post(`status/${id}`)).toMatchObject({
      status: 'FAILED',
      error: expect.stringContaining('the platform takes 10485760'),
    });
  });

  it('that the queue refuses are reported as errors that name status and size', async () => {
    queue = await Queue.open({ FLASH_GATEWAY_MAX_RESULT_BYTES: '5000' });
    queue.worker();
    expect(await queue.runsync(live('def f(): return "x" * 6000'))).toMatchObject({
      status: 'FAILED',
      error: expect.stringMatching(/status 400.*it has 6\d\d\d bytes/s),
    });
  });
});

describe('stopping', () => {
  it('ends the job that is cancelled, and nothing else', async () => {
    queue = await Queue.open();
    queue.worker({ FLASH_CONCURRENCY: '2' });
    const [looping, other] = [await queue.run(loop), await queue.run(sleep(2))];
    await untilAtWork(other.id);
    const cancelledAt = Date.now();
    expect((await queue.post(`cancel/${looping.id}`)).status).toBe('CANCELLED');
    expect((await queue.runsync(add)).status).toBe('COMPLETED');
    expect(Date.now() - cancelledAt).toBeLessThan(2000);
    const record = await queue.gateway.store.find('ep', looping.id);
    expect(record?.late).toEqual({ same: 0, other: 0, progress: 0 });
    const otherRecord = await queue.gateway.store.find('ep', other.id);
    await until(() => otherRecord?.status === 'COMPLETED');
  });

  it('ends a job at its own time-out', async () => {
    queue = await Queue.open();
    const worker = queue.worker();
    await worker.says('serving the queue');
    const view = await queue.runsync(loop, { policy: { executionTimeout: 300 } });
    expect(view.status).toMatch(/TIMED_OUT|FAILED/);
    expect(view.error).toContain('300 ms');
    expect((await queue.runsync(add)).status).toBe('COMPLETED');
  });
});

describe('handlers of deployed apps', () => {
  it('stream, and the runs are as many at once as the manifest says', async () => {
    queue = await Queue.open();
    const code = pythonCode`
      import asyncio
      async def handler(job):
          for i in range(job["input"]["n"]):
              await asyncio.sleep(0.1)
              yield {"i": i, "id": job["id"]}
    `;
    const resources = { gpu: { resource_type: 'x', max_concurrency: 4 } };
    const worker = queue.worker(deployed(code, { version: '1', resources }));
    await worker.says('concurrency=4');
    const startedAt = Date.now();
    const jobs = await Promise.all([1, 2, 3, 4].map(() => queue.runsync({ n: 5 })));
    expect(Date.now() - startedAt).toBeLessThan(1800);
    for (const { id, status, output } of jobs) {
      expect([status, output]).toEqual(['COMPLETED', []]);
      const { stream } = (await queue.post(`stream/${id}`)) as unknown as { stream: unknown[] };
      expect(stream).toEqual([0, 1, 2, 3, 4].map((i) => ({ output: { i, id } })));
    }
  });

  it('have error and refresh_worker lifted out; the worker then ends', async () => {
    queue = await Queue.open();
    const worker = queue.worker(
      deployed(
        'def handler(job):\n if job["input"]["last"]: return {"refresh_worker": True, "a": 1}\n return {"error": {"code": 7}}',
      ),
    );
    expect(await queue.runsync({ last: false })).toMatchObject({ status: 'FAILED', error: '{"code": 7}' });
    expect(await queue.runsync({ last: true })).toMatchObject({ status: 'COMPLETED', output: { a: 1 } });
    expect(await worker.exited).toBe(0);
  });

  it('report an exception as the platform’s own worker does', async () => {
    queue = await Queue.open();
    queue.worker({
      ...deployed('def handler(job): raise RuntimeError("no")'),
      RUNPOD_POD_HOSTNAME: 'host-1',
    });
    const { error } = await queue.runsync({});
    expect(JSON.parse(error ?? '')).toEqual({
      error_type: "<class 'RuntimeError'>",
      error_message: 'no',
      error_traceback: expect.stringContaining('in handler'),
      hostname: 'host-1',
      worker_id: 'w1',
      runpod_version: expect.any(String),
    });
  });

  it('have what they can’t import installed: a package of the module’s name', async () => {
    queue = await Queue.open();
    const venv = join(queue.directory, 'venv');
    const uv = fileURLToPath(new URL('../../../.venv/bin/uv', import.meta.url));
    execFileSync(uv, ['venv', '--quiet', '--python', clientsPython(), venv]);
    const python = join(venv, 'bin/python');
    execFileSync(uv, ['pip', 'install', '--quiet', '--python', python, 'cloudpickle']);
    const code = 'import humanize\ndef handler(job): return humanize.intcomma(job["input"])';
    const worker = queue.worker({ ...deployed(code), FLASH_PYTHON: python, FLASH_UV: uv });
    expect(await queue.runsync(1234567)).toMatchObject({ status: 'COMPLETED', output: '1,234,567' });
    expect(worker.stdout).toContain('The handler needs the module humanize');
    const broken = queue.worker({
      ...deployed('import a_module_nobody_has\ndef handler(job): return 1'),
      FLASH_PYTHON: python,
      FLASH_UV: uv,
    });
    await worker.kill('SIGTERM');
    const { error } = await queue.runsync(1);
    expect(JSON.parse(error ?? '').error_message).toMatch(
      /No module named 'a_module_nobody_has'; it could not be installed: .*a.module.nobody.has/s,
    );
    await broken.kill('SIGTERM');
  }, 120_000);

  it('come out of their artifact; one that can’t be had is what every job is answered with', async () => {
    queue = await Queue.open();
    const { directory } = queue;
    mkdirSync(join(directory, 'built'));
    writeFileSync(
      join(directory, 'built', 'handler_gpu.py'),
      'import helper\ndef handler(job): return helper.greet(job["input"])',
    );
    writeFileSync(join(directory, 'built', 'helper.py'), 'def greet(name): return f"hello {name}"');
    const artifact = join(directory, 'artifact.tar.gz');
    execFileSync('tar', ['czf', artifact, '-C', join(directory, 'built'), '.']);
    const env = {
      FLASH_APP_DIR: join(directory, 'app'),
      FLASH_RESOURCE_NAME: 'gpu',
      FLASH_BUILD_ARTIFACT_PATH: artifact,
      FLASH_UNPACK_ATTEMPTS: '1',
    };
    const good = queue.worker(env);
    expect(await queue.runsync('you')).toMatchObject({ status: 'COMPLETED', output: 'hello you' });
    await good.kill('SIGTERM');
    const bad = queue.worker({ ...env, FLASH_BUILD_ARTIFACT_PATH: '/no/artifact' });
    const { status, error } = await queue.runsync('you');
    expect([status, JSON.parse(error ?? '')]).toEqual([
      'FAILED',
      expect.objectContaining({ error_message: expect.stringContaining('/no/artifact') }),
    ]);
    expect(bad.stdout).toContain('the app can’t be served');
    await bad.kill('SIGTERM');
    const ending = queue.worker({
      ...env,
      FLASH_BUILD_ARTIFACT_PATH: '/no/artifact',
      FLASH_BOOT_FAILURE: 'exit',
    });
    expect(await ending.exited).toBe(1);
    expect(queue.gateway.workers.unhealthy.get('w1')).toMatch(/^app: /);
  });

  it('are refused when the resource leads out of the app directory', async () => {
    queue = await Queue.open();
    const worker = queue.worker({ ...deployed(''), FLASH_RESOURCE_NAME: '../../evil' });
    expect(await worker.exited).toBe(1);
    expect(`${worker.stdout}${worker.stderr}`).toContain('leads out of the app directory');
  });
});

describe('ending', () => {
  it('is quick when the worker is idle, whether it has worked or not', async () => {
    queue = await Queue.open();
    const idle = queue.worker();
    await idle.says('serving the queue');
    const askedAt = Date.now();
    expect(await idle.kill('SIGTERM')).toBe(0);
    expect(Date.now() - askedAt).toBeLessThan(1000 + measuredMs);
    const used = queue.worker();
    await queue.runsync(add);
    expect(await used.kill('SIGINT')).toBe(0);
  });

  it('lets a job in flight finish, and takes no other', async () => {
    queue = await Queue.open();
    const worker = queue.worker();
    const job = await queue.run(sleep(1));
    await untilAtWork(job.id);
    worker.process.kill('SIGTERM');
    await worker.says('asked to end');
    const next = await queue.run(add);
    expect(await worker.exited).toBe(0);
    expect((await queue.post(`status/${job.id}`)).status).toBe('COMPLETED');
    expect((await queue.post(`status/${next.id}`)).status).toBe('IN_QUEUE');
  });

  it('gives a job back that does not finish in time: another worker does it', async () => {
    queue = await Queue.open({ FLASH_GATEWAY_LEASE_MS: '1500' });
    const worker = queue.worker({ FLASH_DRAIN_MS: '200', RUNPOD_PING_INTERVAL: '300' });
    const job = await queue.run(
      live(
        pythonCode`
          import os
          def f():
              import time
              if os.environ["RUNPOD_POD_ID"] == "w1": time.sleep(60)
              return "w2 did it"
        `,
      ),
    );
    await untilAtWork(job.id);
    expect(await worker.kill('SIGTERM')).toBe(0);
    queue.worker({ RUNPOD_POD_ID: 'w2' });
    const record = await queue.gateway.store.find('ep', job.id);
    await queue.gateway.store.waitForEnd(record as NonNullable<typeof record>, 20_000);
    expect(await queue.post(`status/${job.id}`)).toMatchObject({
      output: { json_result: 'w2 did it' },
      workerId: 'w2',
    });
  });

  it('is at once when asked twice', async () => {
    queue = await Queue.open();
    const worker = queue.worker();
    const job = await queue.run(sleep(30));
    await untilAtWork(job.id);
    worker.process.kill('SIGTERM');
    await worker.says('asked to end');
    expect(await worker.kill('SIGTERM')).toBe(143);
  });
});

describe('a worker that can’t serve', () => {
  const unhealthy = async (worker: Worker): Promise<string | undefined> => {
    expect(await worker.exited).toBe(1);
    return queue.gateway.workers.unhealthy.get('w1');
  };

  it.each([
    ['python', { FLASH_PYTHON: '/bin/false' }, /^python: /],
    ['memory', { FLASH_MIN_MEMORY_BYTES: '1000000000000000' }, /^memory: .*FLASH_MIN_MEMORY_BYTES/],
    [
      'temporary space',
      { FLASH_MIN_TMP_BYTES: '1000000000000000' },
      /^temporary-space: .*FLASH_MIN_TMP_BYTES/,
    ],
  ])('for want of %s says so and exits 1, and takes no job', async (_, env, reason) => {
    queue = await Queue.open();
    const job = await queue.run(add);
    expect(await unhealthy(queue.worker(env))).toMatch(reason);
    expect((await queue.post(`status/${job.id}`)).status).toBe('IN_QUEUE');
  });

  it.each([
    ['answers an error', 'echo "GPU is lost" >&2; exit 15', /gpu: .*exit code 15.*GPU is lost/],
    ['finds no device', 'echo "No devices were found"', /gpu: .*No devices/],
  ])('because nvidia-smi %s says so and exits 1', async (_, script, reason) => {
    queue = await Queue.open();
    writeFileSync(join(queue.directory, 'nvidia-smi'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const env = { PATH: `${queue.directory}:${process.env.PATH}`, FLASH_EXPECT_GPU: 'true' };
    expect(await unhealthy(queue.worker(env))).toMatch(reason);
    const skipping = queue.worker({ ...env, RUNPOD_SKIP_GPU_CHECK: 'true' });
    expect((await queue.runsync(add)).status).toBe('COMPLETED');
    await skipping.kill('SIGTERM');
  });

  it('because its settings are wrong names the variable', async () => {
    queue = await Queue.open();
    for (const [name, value] of [
      ['RUNPOD_WEBHOOK_POST_OUTPUT', 'nowhere'],
      ['RUNPOD_PING_INTERVAL', 'often'],
      ['FLASH_CONCURRENCY', '0'],
    ] as const) {
      const worker = queue.worker({ [name]: value });
      expect(await worker.exited).toBe(1);
      expect(`${worker.stdout}${worker.stderr}`).toContain(name);
    }
  });
});

describe('odd circumstances', () => {
  it('a queue that answers "nothing" at once is not asked in a busy loop', async () => {
    queue = await Queue.open();
    let calls = 0;
    const server = createServer((request, response) => {
      if (request.url?.includes('/job-take')) calls++;
      response.writeHead(request.url?.includes('/ping/') ? 200 : 204).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const worker = queue.worker({ RUNPOD_WEBHOOK_GET_JOB: `${base}/job-take/$ID`, FLASH_CONCURRENCY: '4' });
    await worker.says('serving the queue');
    calls = 0;
    await wait(3000);
    expect(calls).toBeGreaterThan(3);
    expect(calls).toBeLessThan(15);
    await worker.kill('SIGTERM');
    server.close();
  });

  it('TLS with a certificate of one’s own authority', async () => {
    queue = await Queue.open();
    const { directory } = queue;
    const [key, certificate] = [join(directory, 'key.pem'), join(directory, 'ca.pem')];
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
        ...['-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', certificate],
      ],
      { stdio: 'ignore' },
    );
    const server = createTlsServer(
      { key: readFileSync(key), cert: readFileSync(certificate) },
      (request, response) => {
        const { method = 'GET', url = '', headers } = request;
        const onward = httpRequest(
          { host: '127.0.0.1', port: queue.gateway.port, path: url, method, headers },
          (answer) => {
            response.writeHead(answer.statusCode ?? 500, answer.headers);
            answer.pipe(response);
          },
        );
        onward.on('error', () => response.destroy());
        request.pipe(onward);
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const base = `https://localhost:${(server.address() as AddressInfo).port}/v2/ep`;
    const addresses = {
      RUNPOD_WEBHOOK_GET_JOB: `${base}/job-take/$ID`,
      RUNPOD_WEBHOOK_POST_OUTPUT: `${base}/job-done/$RUNPOD_POD_ID/$ID`,
    };
    const strange = queue.worker(addresses);
    await strange.says('no job could be taken');
    expect(strange.stdout).toMatch(/self.signed certificate/i);
    await strange.kill('SIGTERM');
    const trusting = queue.worker({ ...addresses, NODE_EXTRA_CA_CERTS: certificate });
    expect((await queue.runsync(add)).status).toBe('COMPLETED');
    await trusting.kill('SIGTERM');
    server.closeAllConnections();
    server.close();
  });

  it('a clock that jumps', async () => {
    queue = await Queue.open();
    const jumping =
      'const real = Date.now; let jump = 0; setInterval(() => { jump = jump === 0 ? 86400000 : jump > 0 ? -86400000 : 0; }, 50).unref(); Date.now = () => real() + jump;';
    const module = `data:text/javascript,${encodeURIComponent(jumping)}`;
    const worker = queue.worker({ RUNPOD_PING_INTERVAL: '50' }, ['--import', module]);
    for (let count = 0; count < 20; count++) {
      expect((await queue.runsync(add)).status).toBe('COMPLETED');
      await wait(20);
    }
    const looping = await queue.run(loop);
    await untilAtWork(looping.id);
    await queue.post(`cancel/${looping.id}`);
    expect((await queue.runsync(add)).status).toBe('COMPLETED');
    expect(await worker.kill('SIGTERM')).toBe(0);
  });

  it('two workers share one queue', async () => {
    queue = await Queue.open();
    const workers = [queue.worker({ RUNPOD_POD_ID: 'w1' }), queue.worker({ RUNPOD_POD_ID: 'w2' })];
    await Promise.all(workers.map((worker) => worker.says('serving the queue')));
    const jobs = await Promise.all(Array.from({ length: 40 }, () => queue.runsync(sleep(0.02))));
    expect(jobs.every(({ status }) => status === 'COMPLETED')).toBe(true);
    expect(new Set(jobs.map(({ workerId }) => workerId))).toEqual(new Set(['w1', 'w2']));
    const health = (await (await fetch(`${queue.url}/health`)).json()) as { workers: { ready: number } };
    expect(health.workers.ready).toBe(2);
  });
});

describe('realtime requests', () => {
  it('are answered with what would be posted', async () => {
    queue = await Queue.open();
    const worker = queue.worker({ RUNPOD_REALTIME_PORT: '0', HOST: '127.0.0.1' });
    await worker.says('serving realtime requests');
    const port = /port=(\d+)/.exec(worker.stdout)?.[1];
    const call = async (path: string, body: string, method = 'POST') => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
        method,
        ...(method === 'POST' ? { body } : {}),
      });
      return [answer.status, await answer.json()];
    };
    expect(await call('/ep/realtime', JSON.stringify({ id: 'r', input: add }))).toEqual([
      200,
      { output: expect.objectContaining({ success: true, json_result: 3 }) },
    ]);
    expect(
      await call('/ep/realtime', JSON.stringify({ input: live('def f(): raise ValueError("x")') })),
    ).toEqual([
      200,
      { output: expect.objectContaining({ success: false }), error: expect.stringMatching(/^x\n/) },
    ]);
    expect((await call('/ep/realtime', '{'))[0]).toBe(400);
    expect((await call('/other/realtime', '{}'))[0]).toBe(404);
    expect((await call('/ep/realtime', '', 'GET'))[0]).toBe(404);
    expect(await worker.kill('SIGTERM')).toBe(0);
  });
});

async function untilAtWork(id: string): Promise<void> {
  const record = await queue.gateway.store.find('ep', id);
  await until(() => record?.status === 'IN_PROGRESS');
  await wait(300);
}

describe('the platform’s own client', () => {
  it('runs, streams, cancels and is called back', async () => {
    queue = await Queue.open();
    const handler = `
import time, runpod
def stream(count):
    for index in range(count):
        yield {"i": index}
def handler(job):
    do = job["input"]["do"]
    if do == "echo": return job["input"]["value"]
    if do == "fail": raise ValueError("it broke")
    if do == "stream": return stream(job["input"]["count"])
    if do == "progress":
        runpod.serverless.progress_update(job, "half")
        time.sleep(1)
        return "whole"
    while True: pass
`;
    // Its own environment has the real SDK, whose progress_update is used here.
    queue.worker({ ...deployed(handler), FLASH_PYTHON: clientsPython() });
    const { stdout } = await promisify(execFile)(
      clientsPython(),
      [
        '-m',
        'pytest',
        '-q',
        '-p',
        'no:cacheprovider',
        fileURLToPath(new URL('./queue-clients', import.meta.url)),
      ],
      {
        env: {
          ...process.env,
          RUNPOD_ENDPOINT_BASE_URL: queue.url.replace(/\/ep$/, ''),
          RUNPOD_API_KEY: 'local',
        },
      },
    ).catch((error: { stdout: string }) => {
      throw new Error(error.stdout);
    });
    expect(stdout).toContain('8 passed');
  }, 120_000);
});
