/**
 * Runs a worker from the sources and starts it anew on every change: npm run dev [-- lb|qb] [flags of the app]
 *
 * lb (the default) answers /execute at http://127.0.0.1:8080, qb the platform's job API at http://127.0.0.1:8000. HOST and PORT say otherwise for lb,
 * --rp_api_port for qb.
 */
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fail, root } from './lib/run.mjs';

const [kind = 'lb', ...flags] = process.argv.slice(2);
if (kind !== 'lb' && kind !== 'qb') fail(`npm run dev -- ${kind}: it must be lb or qb`);
const watched = ['packages', 'apps'].map((directory) => `--watch-path=${join(root, directory)}`);
const main = join(root, `apps/${kind}-app/src/main.ts`);
const own = kind === 'qb' ? ['--rp_serve_api'] : [];
const worker = spawn(process.execPath, [...watched, '--conditions=source', main, ...own, ...flags], {
  env: {
    FLASH_PYTHON: join(root, '.venv/bin/python'),
    HOST: '127.0.0.1',
    PORT: '8080',
    // What Python compiles must not look like a change.
    PYTHONPYCACHEPREFIX: join(tmpdir(), 'flash-dev-pycache'),
    ...process.env,
  },
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => signal === 'SIGTERM' && worker.kill(signal));
worker.once('exit', (code) => process.exit(code ?? 1));
