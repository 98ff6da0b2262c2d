import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Gate } from '../../../scripts/lib/gate.ts';
import { pythonCode } from '../../../scripts/lib/python-code.ts';
import { until } from '../../../scripts/lib/until.ts';
import { add, held, live, loop, Queue, untilAtWork, wait, workerKey } from './queue-worker.ts';

let queue: Queue;
afterEach(() => queue.close());

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
    await until(async () => {
      text = await (await fetch(url)).text();
      return text.includes('flash_jobs_in_progress 0\n');
    });
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
    const gate = new Gate();
    const code = pythonCode`
      import os, sys, subprocess
      def f():
          print("from print")
          subprocess.run(["echo", "from a child"])
          os.write(2, b"from C\n")
          print("x" * 10000)
          sys.stdout.flush()
          ${gate.wait}
    `;
    const { id } = await queue.run(live(code));
    await worker.says('from C');
    expect((await queue.post(`status/${id}`)).status).toBe('IN_PROGRESS');
    gate.open();
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
  });

  it('show progress, the last word is the result’s', async () => {
    queue = await Queue.open();
    queue.worker();
    const gate = new Gate();
    const code = pythonCode`
      from flash_runner import progress
      def f():
          for i in range(3000):
              progress.update({"i": i})
              if i == 1000:
                  ${gate.wait}
          return "done"
    `;
    const job = await queue.run(live(code));
    let view = await queue.post(`status/${job.id}`);
    await until(async () => {
      view = await queue.post(`status/${job.id}`);
      return view.status === 'COMPLETED' || view.output !== undefined;
    });
    expect(view).toMatchObject({ status: 'IN_PROGRESS', output: { i: expect.any(Number) } });
    gate.open();
    const record = await queue.gateway.store.find('ep', job.id);
    await queue.gateway.store.waitForEnd(record as NonNullable<typeof record>, 60_000);
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
    await queue.gateway.store.waitForEnd(record as NonNullable<typeof record>, 60_000);
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
    const gate = new Gate();
    const [looping, other] = [await queue.run(loop), await queue.run(held(gate))];
    await gate.come();
    await untilAtWork(queue, looping.id);
    expect((await queue.post(`cancel/${looping.id}`)).status).toBe('CANCELLED');
    // The other one has its place yet: this one runs in that of the cancelled job.
    expect((await queue.runsync(add)).status).toBe('COMPLETED');
    expect((await queue.post(`status/${other.id}`)).status).toBe('IN_PROGRESS');
    gate.open();
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
    await until(() => calls > 3);
    // A busy loop asks many hundred times.
    expect(calls).toBeLessThan(60);
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
    await untilAtWork(queue, looping.id);
    await queue.post(`cancel/${looping.id}`);
    expect((await queue.runsync(add)).status).toBe('COMPLETED');
    expect(await worker.kill('SIGTERM')).toBe(0);
  });

  it('two workers share one queue', async () => {
    queue = await Queue.open();
    const workers = [queue.worker({ RUNPOD_POD_ID: 'w1' }), queue.worker({ RUNPOD_POD_ID: 'w2' })];
    await Promise.all(workers.map((worker) => worker.says('serving the queue')));
    // None ends before both workers have one.
    const gate = new Gate();
    const ended = Array.from({ length: 40 }, () => queue.runsync(held(gate)));
    await gate.come(2);
    gate.open();
    const jobs = await Promise.all(ended);
    expect(jobs.every(({ status }) => status === 'COMPLETED')).toBe(true);
    expect(new Set(jobs.map(({ workerId }) => workerId))).toEqual(new Set(['w1', 'w2']));
    const health = (await (await fetch(`${queue.url}/health`)).json()) as { workers: { ready: number } };
    expect(health.workers.ready).toBe(2);
  });
});
