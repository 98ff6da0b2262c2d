/**
 * Sends every examples/requests/test_*.json through qb-app, one process for each as a queue's CI does, or with --lb all through one lb-app, and
 * compares the FunctionResponse with what stands beside it: test_NAME.expected.json has the fields that matter; a text between slashes is a
 * pattern.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from './lib/run.mjs';

const directory = join(root, 'examples/requests');
const timeoutMs = 180_000;
const python = process.env.FLASH_PYTHON ?? join(root, '.venv/bin/python');
const env = { ...process.env, FLASH_PYTHON: python, HOST: '127.0.0.1', PORT: '0' };

const isLb = process.argv.includes('--lb');
const app = isLb ? await startLb() : undefined;
let [passed, failed] = [0, 0];
for (const file of readdirSync(directory).filter((name) => /^test_.*(?<!\.expected)\.json$/.test(name))) {
  const request = readFileSync(join(directory, file), 'utf8');
  const expected = JSON.parse(readFileSync(join(directory, file.replace('.json', '.expected.json')), 'utf8'));
  const started = performance.now();
  try {
    compare(await (isLb ? app.send(request) : runJob(request)), expected);
    passed++;
    console.log(`✓ ${file} (${Math.round(performance.now() - started)} ms)`);
  } catch (error) {
    failed++;
    console.error(`✗ ${file}: ${error.message}`);
  }
}
await app?.end();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);

function runJob(request) {
  const main = join(root, 'apps/qb-app/dist/main.js');
  const { stdout, stderr } = spawnSync(process.execPath, [main, '--test_input', request], {
    env,
    encoding: 'utf8',
    timeout: timeoutMs,
  });
  try {
    const { output, error } = JSON.parse(stdout);
    // A job's error stands beside its output.
    return { ...output, error: error ?? null };
  } catch {
    throw new Error(`qb-app printed no result:\n${stderr.split('\n').slice(-10).join('\n')}`);
  }
}

async function startLb() {
  const worker = spawn(process.execPath, [join(root, 'apps/lb-app/dist/main.js')], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  // One that does not get ready ends, and with it the reading of its log.
  const timer = setTimeout(() => worker.kill('SIGKILL'), timeoutMs);
  let url;
  for await (const line of createInterface({ input: worker.stderr })) {
    const port = /"port":(\d+)/.exec(line)?.[1];
    if (port !== undefined) url = `http://127.0.0.1:${port}`;
    if (/"msg":"ready"/.test(line)) break;
  }
  clearTimeout(timer);
  if (url === undefined) throw new Error('lb-app ended before it was ready');
  worker.stderr.resume();
  return {
    async send(body) {
      const headers = { 'content-type': 'application/json' };
      const signal = AbortSignal.timeout(timeoutMs);
      return (await fetch(`${url}/execute`, { method: 'POST', body, headers, signal })).json();
    },
    async end() {
      worker.kill('SIGTERM');
      await once(worker, 'exit');
    },
  };
}

function compare(response, { ...expected }) {
  for (const [field, wanted] of Object.entries(expected)) {
    const pattern = typeof wanted === 'string' && /^\/(.*)\/s?$/.exec(wanted)?.[1];
    if (!pattern) continue;
    assert.match(String(response?.[field]), new RegExp(pattern));
    delete expected[field];
  }
  assert.partialDeepStrictEqual(response, expected);
}
