/** Starts the queue API with a worker behind it, submits three sample requests, and shows their live logs and results. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fail, root } from './lib/run.mjs';

const isTerminal = process.stdout.isTTY === true;
const paint = (code) => (text) => (isTerminal ? `\u001b[${code}m${text}\u001b[0m` : text);
const [bold, dim, green, red] = [paint(1), paint(2), paint(32), paint(31)];
const jobTimeoutMs = 120_000;

const worker = spawn(
  process.execPath,
  [
    join(root, 'apps/qb-app/dist/main.js'),
    '--rp_serve_api',
    '--rp_api_host',
    '127.0.0.1',
    '--rp_api_port',
    '0',
  ],
  {
    cwd: root,
    env: { ...process.env, FLASH_PYTHON: join(root, '.venv/bin/python') },
    stdio: ['ignore', 'inherit', 'pipe'],
  },
);
const ended = new Promise((resolve) => worker.once('exit', resolve));
let workerLog = '';
let exitCode = 1;
try {
  const api = await started();
  console.log(`${bold('The worker is up.')} Its queue API: ${api}\n`);
  await submit(api, 'A function', 'function.json');
  for (const call of [1, 2, 3]) await submit(api, `A class, call ${call} of 3 on one instance`, 'class.json');
  await submit(api, 'A function with a package from PyPI', 'dependency.json');
  console.log(
    `${green('All three samples ran.')} Next: npm run gateway, npm run worker, then send requests of your own; see README.md`,
  );
  exitCode = 0;
} catch (error) {
  console.error(`${red('✗')} ${error.message}\n${dim(workerLog.split('\n').slice(-15).join('\n'))}`);
}
worker.kill('SIGTERM');
const forced = setTimeout(() => worker.kill('SIGKILL'), 10_000);
await ended;
clearTimeout(forced);
process.exit(exitCode);

function started() {
  return new Promise((resolve, reject) => {
    worker.stderr.setEncoding('utf8').on('data', (text) => {
      workerLog = (workerLog + text).slice(-100_000);
      const url = /"url":"[^"]*","port":(\d+)/.exec(workerLog);
      if (url) resolve(`http://127.0.0.1:${url[1]}/v2/quickstart`);
    });
    ended.then((code) => reject(new Error(`the worker ended with status ${code} before it was up`)));
    delay(30_000, undefined, { ref: false }).then(() =>
      reject(new Error('the worker was not up after 30 s')),
    );
  });
}

async function submit(api, title, file) {
  console.log(bold(`▶ ${title}`) + dim(`  (examples/requests/${file})`));
  const began = Date.now();
  const { id } = await call(`${api}/run`, {
    method: 'POST',
    body: readFileSync(join(root, 'examples/requests', file)),
  });
  let next = 0;
  for (;;) {
    const log = await call(`${api}/log/${id}?after=${next}`);
    for (const line of log.text.split('\n').filter(Boolean)) console.log(dim(`  │ ${line}`));
    next = log.next;
    if (log.isFinal) break;
    if (Date.now() - began > jobTimeoutMs)
      throw new Error(`${title}: no result after ${jobTimeoutMs / 1000} s`);
    await delay(30);
  }
  const job = await call(`${api}/status/${id}`);
  if (job.status !== 'COMPLETED') throw new Error(`${title}: ${job.status}: ${job.error}`);
  console.log(
    `  ${green('✔')} ${JSON.stringify(job.output.json_result)}  ${dim(`${job.executionTime} ms`)}\n`,
  );
}

async function call(url, options) {
  const response = await fetch(url, options);
  const body = await response.json();
  if (!response.ok) fail(`${url} answered ${response.status}: ${body.error}`);
  return body;
}
