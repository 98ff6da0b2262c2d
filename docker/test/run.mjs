/**
 * Builds the images and uses them as their users would: npm run test:containers [-- --required] [--python <prefix>] [--only <part of a name>]
 *
 * `--python` puts the interpreter that was installed below that directory into the base image, instead of Debian's. Images of Python 3.14,
 * which this machine's Debian lacks, are built and used in any case. `--only` runs the steps whose names have that in them, after the build.
 *
 * Without a container engine and without a registry of images: see engine.mjs and stand-ins.mjs. Says that it skips where that can't be had,
 * and fails there with `--required`. Ends with a line that counts the steps.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { freePort } from '../../scripts/lib/free-port.mjs';
import { buildImage, Container, output, prepareEngine, sh } from './engine.mjs';
import { makeBaseOfPython, makeStandIns } from './stand-ins.mjs';

const mostMs = 60_000;
/** The step that all others need. */
const build = 'images are built';
const [qb, lb] = ['flash-cpu', 'flash-lb-cpu'].map((name) => `localhost/flash-test/${name}`);
const directory = mkdtempSync(join(tmpdir(), 'flash-containers-'));
const containers = [];
let passed = 0;
let failed = 0;

const { values: flags } = parseArgs({
  options: { required: { type: 'boolean' }, python: { type: 'string' }, only: { type: 'string' } },
});
const problem = prepareEngine();
if (problem !== undefined) {
  console.log(`skipped: ${problem}`);
  process.exit(flags.required ? 1 : 0);
}

async function step(name, work) {
  if (name !== build && flags.only !== undefined && !name.includes(flags.only)) return;
  const started = Date.now();
  let outcome = 'passed';
  let detail;
  try {
    detail = await work();
    passed++;
  } catch (error) {
    failed++;
    outcome = 'FAILED';
    detail = [error.message, ...containers.map(({ log }) => log.split('\n').slice(-15).join('\n'))].join(
      '\n',
    );
  }
  for (const container of containers.splice(0)) container.remove();
  console.log(
    `${outcome} in ${((Date.now() - started) / 1000).toFixed(1)} s: ${name}${detail ? `\n${detail}` : ''}`,
  );
}

function expect(condition, message) {
  if (!condition) throw new Error(message);
}

async function eventually(what, condition) {
  for (const from = Date.now(); !(await condition()); await delay(50))
    if (Date.now() - from > mostMs) throw new Error(`not within ${mostMs} ms: ${what}`);
}

function start(image, settings, options, args) {
  const container = new Container(image, settings, options, args);
  containers.push(container);
  return container;
}

/** Starts lb-app and notes what /ping answers until it is ready. */
async function startHttp(settings = {}, options = [], image = lb) {
  const port = await freePort();
  const container = start(image, { PORT: String(port), HOST: '127.0.0.1', ...settings }, options);
  const url = `http://127.0.0.1:${port}`;
  const statuses = new Set();
  const ping = async () => (await fetch(`${url}/ping`).catch(() => ({ status: 0 }))).status;
  for (const from = Date.now(); !statuses.has(200); statuses.add(await ping()))
    expect(container.isRunning && Date.now() - from < mostMs, `it is never ready: ${[...statuses]}`);
  const execute = async (code, more = {}) => {
    const body = { function_name: 'f', function_code: code, serialization_format: 'json', ...more };
    const response = await fetch(`${url}/execute`, { method: 'POST', body: JSON.stringify(body) });
    return response.json();
  };
  const value = async (code, more) => {
    const answer = await execute(code, more);
    expect(answer.success, JSON.stringify(answer));
    return answer.json_result;
  };
  return { container, url, statuses, execute, value };
}

/** Builds the images of both entries on a base. */
function buildBoth(base, pythonVersion, tags) {
  const args = (target) => [
    ...['--build-arg', `PYTHON_VERSION=${pythonVersion}`, '--build-arg', `BASE_IMAGE=${base}`],
    ...['--build-arg', `NODE_IMAGE=${images.node}`, '--file', 'docker/Dockerfile', '--target', target],
  ];
  buildImage(tags.qb, '.', args('flash-cpu'));
  buildImage(tags.lb, '.', args('flash-lb-cpu'));
}

/** Has a gateway and a queue worker of this image run a function without arguments. @returns what it returned. */
async function throughGateway(image, code) {
  const port = await freePort();
  const options = ['--entrypoint', '/opt/flash/bin/flash-worker'];
  const gateway = start(image, {}, options, ['gateway', '--port', String(port)]);
  const api = `http://127.0.0.1:${port}/v2/local`;
  await eventually('the gateway answers', async () => (await fetch(`${api}/health`).catch(() => ({}))).ok);
  const worker = start(image, {
    RUNPOD_POD_ID: 'one',
    RUNPOD_WEBHOOK_GET_JOB: `${api}/job-take/$ID`,
    RUNPOD_WEBHOOK_POST_OUTPUT: `${api}/job-done/$RUNPOD_POD_ID/$ID`,
    RUNPOD_WEBHOOK_POST_STREAM: `${api}/job-stream/$RUNPOD_POD_ID/$ID`,
    RUNPOD_WEBHOOK_PING: `${api}/ping/$RUNPOD_POD_ID`,
  });
  const input = { function_name: 'f', function_code: code, serialization_format: 'json' };
  const response = await fetch(`${api}/runsync?wait=${mostMs}`, {
    method: 'POST',
    body: JSON.stringify({ input }),
  });
  const job = await response.json();
  expect(job.status === 'COMPLETED' && job.output.success, JSON.stringify(job));
  expect(worker.stop() === 0, `the worker ended with ${worker.exitCode}`);
  expect(gateway.stop() === 0, `the gateway ended with ${gateway.exitCode}`);
  return job.output.json_result;
}

const humanized = 'def f():\n    import humanize\n    return humanize.intword(1_000_000)';
const humanize = { dependencies: ['humanize'] };

let images;
await step(build, () => {
  images = makeStandIns(flags.python);
  buildBoth(images.base, images.pythonVersion, { qb, lb });
});
if (failed > 0) finish();

await step('what is added to the base image', () => {
  const layers = sh('podman', ['history', '--no-trunc', '--format', '{{.Size}}|{{.CreatedBy}}', lb]).split(
    '\n',
  );
  const parts = layers
    .map((line) => line.split('|'))
    .map(([size, ...by]) => [size, by.join('|').replace(/^\/bin\/sh -c (#\(nop\) )?/, '')])
    .filter(([size]) => !/^0 ?B$/.test(size))
    .slice(0, -1);
  const own = Number(output(lb, 'du', '-sb', '/opt/flash').split('\t')[0]);
  expect(own <= 160e6, `our own files take ${own} bytes`);
  const shown = parts.map(([size, by]) => `  ${size.padStart(8)}  ${by.slice(0, 90)}`);
  return [`  /opt/flash: ${(own / 1e6).toFixed(1)} MB`, ...shown].join('\n');
});

await step('204, then 200; a healthy container; a package of PyPI, and one of Debian', async () => {
  const { container, statuses, value } = await startHttp();
  expect(
    [...statuses].every((status) => [0, 204, 200].includes(status)),
    `pings: ${[...statuses]}`,
  );
  expect(container.isHealthy, 'its health check fails');
  expect((await value(humanized, humanize)) === '1.0 million', 'humanize');
  const hello = 'def f():\n    import subprocess\n    return subprocess.check_output(["hello"], text=True)';
  expect((await value(hello, { system_dependencies: ['hello'] })) === 'Hello, world!\n', 'hello');
  const archives = container.exec('ls', '/root/.cache/apt/archives');
  expect(/hello_.*\.deb/.test(archives), `apt keeps its archives elsewhere: ${archives}`);
  expect(container.stop() === 0, `it ended with ${container.exitCode}`);
});

await step('processes that lost their parents are buried by the first one', async () => {
  const { container } = await startHttp();
  container.exec('sh', '-c', 'for i in 1 2 3 4 5; do (setsid sleep 5 &) ; done');
  const ofFirst = () => {
    const states = container.exec('sh', '-c', 'cat /proc/[0-9]*/stat').split('\n');
    return states.filter((line) => /\((sh|sleep)\) [A-Z] 1 /.test(line));
  };
  expect(ofFirst().length > 0, 'they are not its children');
  await eventually('none is left', () => ofFirst().length === 0);
});

await step('a job through the gateway', async () => {
  const result = await throughGateway(qb, 'def f():\n    return 6 * 7');
  expect(result === 42, `it came to ${result}`);
});

await step('a deployed app out of its artifact', async () => {
  const app = join(directory, 'app');
  mkdirSync(app);
  writeFileSync(
    join(app, 'main.py'),
    'from fastapi import FastAPI\napp = FastAPI()\n\n@app.get("/hello")\ndef hello():\n    return {"hello": "there"}\n',
  );
  const artifact = join(directory, 'artifact.tar.gz');
  sh('tar', ['--create', '--gzip', '--file', artifact, '--directory', app, '.']);
  const { container, url } = await startHttp(
    { FLASH_ENDPOINT_TYPE: 'lb', FLASH_RESOURCE_NAME: 'web', RUNPOD_ENDPOINT_ID: 'preview-test' },
    ['--volume', `${artifact}:/root/.runpod/artifact.tar.gz:ro`],
  );
  const response = await fetch(`${url}/hello`);
  expect((await response.text()) === '{"hello":"there"}', `/hello answered ${response.status}`);
  expect(container.stop() === 0, `it ended with ${container.exitCode}`);
});

await step('SIGTERM: what is under way is finished, nothing new is taken', async () => {
  const { container, value } = await startHttp();
  const answer = value(
    'def f():\n    import time\n    print("at work now", flush=True)\n    time.sleep(2)\n    return "done"',
  );
  await eventually('it is at work', () => container.log.includes('at work now'));
  container.signal('TERM');
  expect((await answer) === 'done', 'the request was lost');
  await eventually('it ends', () => !container.isRunning);
  expect(container.exitCode === 0, `it ended with ${container.exitCode}`);
});

await step('a second container has what the first one left on the volume', async () => {
  const volume = join(directory, 'volume');
  mkdirSync(volume);
  const settings = { RUNPOD_ENDPOINT_ID: 'preview-warm', FLASH_ENVIRONMENTS: 'isolated' };
  const options = ['--volume', `${volume}:/runpod-volume`];
  const first = await startHttp(settings, options);
  expect((await first.value(humanized, humanize)) === '1.0 million', 'the first one');
  await eventually('it is kept', () => first.container.log.includes('was kept on the volume'));
  expect(first.container.stop() === 0, `the first one ended with ${first.container.exitCode}`);
  const second = await startHttp({ ...settings, UV_OFFLINE: '1' }, options);
  expect((await second.value(humanized, humanize)) === '1.0 million', 'the second one');
  expect(second.container.log.includes('came from the volume'), 'nothing came from the volume');
});

await step('as an unprivileged user: packages of PyPI, and a clear word about Debian’s', async () => {
  const { value, execute } = await startHttp({ FLASH_ENVIRONMENTS: 'isolated' }, ['--user', '1234:1234']);
  expect((await value('def f():\n    import os\n    return os.getuid()')) === 1234, 'another user');
  expect((await value(humanized, humanize)) === '1.0 million', 'humanize');
  const { success, error } = await execute('def f(): pass', { system_dependencies: ['hello'] });
  expect(!success && /root/.test(error), `system packages: ${error}`);
  return `  ${error.split('\n')[0]}`;
});

await step('with a read-only root file system', async () => {
  const places = ['app', 'cache', 'environments'].map((name) =>
    join(directory, name === 'app' ? 'empty' : name),
  );
  for (const place of places) {
    mkdirSync(place);
    chmodSync(place, 0o777);
  }
  const [app, cache, environments] = places;
  const { value } = await startHttp({ FLASH_ENVIRONMENTS: 'isolated' }, [
    ...['--read-only', '--tmpfs', '/tmp', '--volume', `${app}:/app`, '--volume', `${cache}:/root/.cache`],
    ...['--volume', `${environments}:/var/lib/flash/environments`],
  ]);
  expect((await value('def f():\n    return 1')) === 1, 'a function');
  expect((await value(humanized, humanize)) === '1.0 million', 'humanize');
});

await step('the archive, in an image that has nothing but Python', async () => {
  const out = join(directory, 'archive');
  sh('npm', ['run', '--silent', 'package', '--', '--out', out]);
  sh('sh', ['-c', `tar --extract --gzip --file "$1"/*.tar.gz --directory "$1"`, '-', out]);
  const options = [
    '--volume',
    `${out}/flash-worker:/opt/worker:ro`,
    '--entrypoint',
    '/opt/worker/bin/flash-worker',
  ];
  const container = start(images.base, {}, options, ['--self-test']);
  await eventually('the self-test ends', () => !container.isRunning);
  expect(container.exitCode === 0, container.log);
  const port = await freePort();
  start(
    images.base,
    { FLASH_ENDPOINT_TYPE: 'lb', PORT: String(port), HOST: '127.0.0.1', FLASH_APP_DIR: '/app' },
    options,
  );
  const ping = async () => (await fetch(`http://127.0.0.1:${port}/ping`).catch(() => ({ status: 0 }))).status;
  await eventually('FLASH_ENDPOINT_TYPE says which app', async () => (await ping()) > 0);
  return `  ${container.log.trim().split('\n').at(-1)}`;
});

await step('wrong settings are told at once', () => {
  const container = start(qb, { FLASH_MAX_RUNNERS: 'many' });
  return eventually('it ends', () => !container.isRunning).then(() => {
    expect(container.exitCode === 1, `it ended with ${container.exitCode}`);
    expect(container.log.includes('FLASH_MAX_RUNNERS'), container.log);
  });
});

await step(
  'images of Python 3.14: a function over HTTP, a package of PyPI, a job through the gateway',
  async () => {
    const tags = { qb: `${qb}-py3.14`, lb: `${lb}-py3.14` };
    buildBoth(makeBaseOfPython('3.14'), '3.14', tags);
    const version = 'def f():\n    import sys\n    return "%d.%d" % sys.version_info[:2]';
    const { container, value } = await startHttp({}, [], tags.lb);
    expect((await value(version)) === '3.14', 'another Python');
    expect((await value(humanized, humanize)) === '1.0 million', 'humanize');
    expect(container.stop() === 0, `lb-app ended with ${container.exitCode}`);
    expect((await throughGateway(tags.qb, version)) === '3.14', 'another Python serves the queue');
  },
);

finish();

function finish() {
  rmSync(directory, { recursive: true, force: true });
  console.log(`\n${passed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}
