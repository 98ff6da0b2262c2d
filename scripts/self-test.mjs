/**
 * Whether a bundle works where it is: runs one job with qb-app and one request with lb-app, as their users would. Part of every bundle
 * (flash-worker --self-test); --only qb or --only lb for one of them. Exits 1 saying what failed.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const app = dirname(dirname(fileURLToPath(import.meta.url)));
const mostMs = 60_000;
const request = {
  function_name: 'add',
  function_code: 'def add(a, b):\n    print("adding")\n    return a + b',
  args: [2, 3],
  serialization_format: 'json',
};
// Nothing of the place it runs in has a part in it.
const { RUNPOD_ENDPOINT_ID, RUNPOD_WEBHOOK_GET_JOB, FLASH_ENDPOINT_TYPE, FLASH_RESOURCE_NAME, ...env } =
  process.env;

function check(name, response) {
  if (response?.json_result !== 5 || response.stdout !== 'adding\n')
    throw new Error(`${name} answered ${JSON.stringify(response)}`);
}

async function queueWorker() {
  const args = [join(app, 'qb-app/main.js'), '--test_input', JSON.stringify({ input: request })];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env, timeout: mostMs });
  check('qb-app', JSON.parse(stdout).output);
}

async function httpWorker() {
  const child = spawn(process.execPath, [join(app, 'lb-app/main.js')], {
    env: { ...env, HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'INFO' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'exit');
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    log += text;
  });
  try {
    for (const from = Date.now(); !/"msg":"ready"/.test(log); await delay(5))
      if (child.exitCode !== null || Date.now() - from > mostMs)
        throw new Error(`lb-app does not get ready: ${log}`);
    const port = /"port":(\d+)/.exec(log)?.[1];
    const url = `http://127.0.0.1:${port}/execute`;
    check('lb-app', await (await fetch(url, { method: 'POST', body: JSON.stringify(request) })).json());
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}

try {
  const only = process.argv[2] === '--only' ? process.argv[3] : undefined;
  if (only !== 'lb') await queueWorker();
  if (only !== 'qb') await httpWorker();
  console.log(`flash-worker: ${only === undefined ? 'qb-app and lb-app work' : `${only}-app works`} here`);
} catch (error) {
  console.error(`flash-worker: ${error.message}`);
  process.exitCode = 1;
}
