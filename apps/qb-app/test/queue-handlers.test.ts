import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { clientsPython } from '../../../scripts/lib/clients-python.ts';
import { pythonCode } from '../../../scripts/lib/python-code.ts';
import { deployed, Queue } from './queue-worker.ts';

let queue: Queue;
afterEach(() => queue.close());

describe('handlers of deployed apps', () => {
  it('stream, and the runs are as many at once as the manifest says', async () => {
    queue = await Queue.open();
    const code = pythonCode`
      import asyncio
      begun = 0
      async def handler(job):
          global begun
          begun += 1
          for _ in range(6000):
              if begun == 4:
                  break
              await asyncio.sleep(0.01)
          for i in range(job["input"]["n"]):
              yield {"i": i, "id": job["id"], "together": begun}
    `;
    const resources = { gpu: { resource_type: 'x', max_concurrency: 4 } };
    const worker = queue.worker(deployed(queue, code, { version: '1', resources }));
    await worker.says('concurrency=4');
    const jobs = await Promise.all([1, 2, 3, 4].map(() => queue.runsync({ n: 5 })));
    for (const { id, status, output } of jobs) {
      expect([status, output]).toEqual(['COMPLETED', []]);
      const { stream } = (await queue.post(`stream/${id}`)) as unknown as { stream: unknown[] };
      expect(stream).toEqual([0, 1, 2, 3, 4].map((i) => ({ output: { i, id, together: 4 } })));
    }
  });

  it('have error and refresh_worker lifted out; the worker then ends', async () => {
    queue = await Queue.open();
    const worker = queue.worker(
      deployed(
        queue,
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
      ...deployed(queue, 'def handler(job): raise RuntimeError("no")'),
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
    const worker = queue.worker({ ...deployed(queue, code), FLASH_PYTHON: python, FLASH_UV: uv });
    expect(await queue.runsync(1234567)).toMatchObject({ status: 'COMPLETED', output: '1,234,567' });
    expect(worker.stdout).toContain('The handler needs the module humanize');
    const broken = queue.worker({
      ...deployed(queue, 'import a_module_nobody_has\ndef handler(job): return 1'),
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
    const worker = queue.worker({ ...deployed(queue, ''), FLASH_RESOURCE_NAME: '../../evil' });
    expect(await worker.exited).toBe(1);
    expect(`${worker.stdout}${worker.stderr}`).toContain('leads out of the app directory');
  });
});

describe('the platform’s own client', () => {
  it('runs, streams, cancels and is called back', async () => {
    queue = await Queue.open();
    const handler = `
import os, time, runpod
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
        while os.path.exists(job["input"]["while"]): time.sleep(0.02)
        return "whole"
    while True: pass
`;
    // Its own environment has the real SDK, whose progress_update is used here.
    queue.worker({ ...deployed(queue, handler), FLASH_PYTHON: clientsPython() });
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
