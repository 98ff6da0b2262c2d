/** Starts qb-app on the gateway of `npm run gateway`. Usage: npm run worker -- [worker id] [gateway's URL] */
import { spawn } from 'node:child_process';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { root } from './lib/run.mjs';

const [id = `${hostname()}-${process.pid}`, gateway = 'http://127.0.0.1:8000'] = process.argv.slice(2);
const base = `${gateway.replace(/\/$/, '')}/v2/local`;
const worker = spawn(process.execPath, [join(root, 'apps/qb-app/dist/main.js')], {
  env: {
    FLASH_PYTHON: join(root, '.venv/bin/python'),
    ...process.env,
    RUNPOD_POD_ID: id,
    RUNPOD_WEBHOOK_GET_JOB: `${base}/job-take/$ID`,
    RUNPOD_WEBHOOK_POST_OUTPUT: `${base}/job-done/$RUNPOD_POD_ID/$ID`,
    RUNPOD_WEBHOOK_POST_STREAM: `${base}/job-stream/$RUNPOD_POD_ID/$ID`,
    RUNPOD_WEBHOOK_PING: `${base}/ping/$RUNPOD_POD_ID`,
  },
  stdio: 'inherit',
});
// A terminal's Ctrl-C reaches the worker by itself; it then finishes what it has.
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => signal === 'SIGTERM' && worker.kill(signal));
worker.once('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
