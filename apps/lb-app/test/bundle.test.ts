import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { pythonCode } from '../../../scripts/lib/python-code.ts';
import { until } from '../../../scripts/lib/until.ts';
import { App, path } from './running-app.ts';

const run = promisify(execFile);
// Outside the repository: whatever a bundle lacks can't be found beside it.
const root = mkdtempSync(join(tmpdir(), 'flash-bundle-'));
const bundle = join(root, 'bundle');
beforeAll(async () => {
  await run(process.execPath, [path('../../../scripts/bundle.mjs'), bundle]);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const lbApp = (env: NodeJS.ProcessEnv): App => new App(env, join(bundle, 'lb-app/main.js'));
const isThere = (pid: string): boolean => existsSync(`/proc/${pid}/cmdline`);
const commandOf = (pid: string): string => readFileSync(`/proc/${pid}/cmdline`, 'utf8');
const childrenOf = ({ process: { pid } }: App): string[] =>
  readdirSync(`/proc/${pid}/task`)
    .flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' '))
    .filter(Boolean);
const add = { function_name: 'add', function_code: 'def add(a, b): return a + b', args: [2, 3] };

it('lb-app as a bundle answers, keeps its cache on the volume and brings it back, and leaves no process behind', async () => {
  const volume = join(root, 'volume');
  mkdirSync(volume);
  const settings = (machine: string) => ({
    FLASH_VOLUME_DIR: volume,
    RUNPOD_ENDPOINT_ID: 'bundle',
    FLASH_CACHE_DIR: join(root, machine),
    FLASH_CACHE_SYNC_DELAY_MS: '50',
  });
  const write = {
    function_name: 'f',
    function_code: pythonCode`
      def f():
          import os
          os.makedirs(${JSON.stringify(join(root, 'one/a'))})
          open(${JSON.stringify(join(root, 'one/a/file'))}, 'w').write('kept')
          return os.getppid()
    `,
    serialization_format: 'json',
  };
  const first = await lbApp(settings('one')).ready();
  const { json_result: zygote } = await first.json(write);
  await first.logged(/was kept on the volume/);
  expect(await first.end()).toBe(0);
  expect(existsSync(`/proc/${zygote}`)).toBe(false);
  const second = await lbApp(settings('two')).ready();
  await second.logged(/hydrated.*part=data|"part":"data"/);
  expect(readFileSync(join(root, 'two/a/file'), 'utf8')).toBe('kept');
  expect(await second.json({ ...add, serialization_format: 'json' })).toMatchObject({ json_result: 5 });
  const metrics = await (await fetch(`${second.url}/metrics`)).text();
  expect(metrics).toContain('flash_requests_total{outcome="returned"} 1');
  expect(await second.end()).toBe(0);
});

it('qb-app as a bundle runs a job given on its command line, and one whose settings are wrong ends at once', async () => {
  const main = join(bundle, 'qb-app/main.js');
  const env = { ...process.env, FLASH_PYTHON: path('../../../.venv/bin/python') };
  const input = JSON.stringify({ input: { ...add, serialization_format: 'json' } });
  const { stdout } = await run(process.execPath, [main, '--test_input', input], { env });
  expect(JSON.parse(stdout)).toMatchObject({ output: { json_result: 5 } });
  const wrong = run(process.execPath, [main], {
    env: { ...env, FLASH_MAX_RUNNERS: 'many' },
    timeout: 60_000,
  });
  await expect(wrong).rejects.toMatchObject({
    code: 1,
    killed: false,
    stderr: expect.stringContaining('FLASH_MAX_RUNNERS'),
  });
});

it('a worker that finds the Python it was started ahead for takes it, and no other', async () => {
  const app = await lbApp({ FLASH_PREIMPORT: 'off' }).ready();
  const request = {
    function_name: 'f',
    function_code: 'def f():\n    import os\n    return os.getppid()',
    serialization_format: 'json',
  };
  const { json_result: zygote } = await app.json(request);
  expect(childrenOf(app)).toEqual([String(zygote)]);
  expect(await app.end()).toBe(0);
});

it('a worker that is killed leaves no sender of its traces behind', async () => {
  const sent = Promise.withResolvers<string | undefined>();
  const collector = createServer((request, response) => {
    sent.resolve(request.url);
    request.resume().once('end', () => response.end());
  });
  collector.listen(0, '127.0.0.1');
  await once(collector, 'listening');
  const app = await lbApp({
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
    OTEL_BSP_SCHEDULE_DELAY: '50',
  }).ready();
  const isSender = (pid: string): boolean => isThere(pid) && commandOf(pid).includes('send_traces.py');
  try {
    await app.json({ ...add, serialization_format: 'json' });
    expect(await sent.promise).toBe('/v1/traces');
    const senders = childrenOf(app).filter(isSender);
    expect(senders).toHaveLength(1);
    app.process.kill('SIGKILL');
    await app.exited;
    await until(() => !senders.some(isSender));
  } finally {
    app.process.kill('SIGKILL');
    collector.close();
  }
});

it('qb-app as a bundle asks a queue that would rather speak HTTP/2 for a job, over TLS and HTTP/1.1', async () => {
  const [key, certificate] = [join(root, 'key.pem'), join(root, 'ca.pem')];
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
    ...['-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', certificate],
  ]);
  const options = { key: readFileSync(key), cert: readFileSync(certificate), allowHTTP1: true };
  const asked = Promise.withResolvers<string>();
  const server = createSecureServer(options, ({ url, httpVersion }, response) => {
    if (url.includes('/job-take/')) asked.resolve(httpVersion);
    response.writeHead(204).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const base = `https://localhost:${(server.address() as AddressInfo).port}/v2/ep`;
  const worker = spawn(process.execPath, [join(bundle, 'qb-app/main.js')], {
    env: {
      ...process.env,
      FLASH_PYTHON: path('../../../.venv/bin/python'),
      NODE_EXTRA_CA_CERTS: certificate,
      RUNPOD_WEBHOOK_GET_JOB: `${base}/job-take/worker`,
      RUNPOD_WEBHOOK_POST_OUTPUT: `${base}/job-done/worker/$ID`,
    },
    stdio: 'ignore',
  });
  const ended = once(worker, 'exit');
  try {
    const nothing = delay(60_000, 'nothing', { ref: false });
    expect(await Promise.race([asked.promise, ended, nothing])).toBe('1.1');
  } finally {
    worker.kill('SIGTERM');
    await ended;
    server.close();
  }
  expect(worker.exitCode).toBe(0);
});
