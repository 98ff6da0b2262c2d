import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Endpoint } from './warm-worker.ts';

const script = fileURLToPath(new URL('one-request.ts', import.meta.url));
const flags = ['--conditions=source', '--disable-warning=ExperimentalWarning'];
const sets = [
  ['toolz==0.12.0', 'toolz.__version__', '0.12.0'],
  ['toolz==1.0.0', 'toolz.__version__', '1.0.0'],
  ['six==1.16.0', 'six.__version__', '1.16.0'],
  ['isodate==0.7.2', 'isodate.__name__', 'isodate'],
] as const;
let endpoint: Endpoint;

beforeAll(async () => {
  endpoint = await new Endpoint().make(['six==1.15.0']);
});
afterAll(() => endpoint.remove());

/** A worker process, and what it has said. */
class WorkerProcess {
  readonly lines: string[] = [];
  readonly ended: Promise<unknown>;
  readonly #child: ChildProcessByStdio<null, Readable, null>;

  constructor(env: NodeJS.ProcessEnv, [requirement, expression]: readonly [string, string, string]) {
    this.#child = spawn(process.execPath, [...flags, script, requirement, expression], {
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.ended = once(this.#child, 'exit');
    let text = '';
    this.#child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      this.lines.splice(0, this.lines.length, ...text.split('\n').slice(0, -1));
    });
  }

  async said(line: string): Promise<void> {
    while (!this.lines.includes(line)) {
      if (this.#child.exitCode !== null) throw new Error(`it ended; it had said: ${this.lines.join()}`);
      await pause(2);
    }
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

it('a worker killed 40 times while it builds, keeps or brings an environment leaves nothing by halves', async () => {
  // Downloads are shared, so that it is the building that is interrupted.
  const shared = { UV_CACHE_DIR: join(endpoint.root, 'uv'), FLASH_PREIMPORT: 'off' };
  const machines = [0, 1, 2].map(() => endpoint.newMachine(shared));
  const interrupted = { before: 0, after: 0 };
  for (let kill = 0; kill < 40; kill++) {
    const set = sets[kill % sets.length] ?? sets[0];
    // Now a disk that has seen kills before, now an empty one.
    const env = machines[kill % 4] ?? endpoint.newMachine(shared);
    const worker = new WorkerProcess(env, set);
    await worker.said('ready');
    await pause(randomInt(0, 450));
    worker.kill();
    await worker.ended;
    interrupted[worker.lines.some((line) => line.startsWith('answer')) ? 'after' : 'before']++;
    if (kill % 5 !== 4) continue;
    // Whatever is left on this disk and on the volume serves, or is made anew.
    for (const next of [env, endpoint.newMachine(shared)]) {
      const healthy = new WorkerProcess(next, set);
      await healthy.ended;
      expect(healthy.lines).toContain(`answer ${set[2]}`);
      const environments = readdirSync(next.FLASH_ENVIRONMENTS_DIR ?? '');
      expect(environments.filter((name) => name.startsWith('.building'))).toEqual([]);
    }
  }
  expect(interrupted.before).toBeGreaterThan(5);
  const kept = join(endpoint.volume, '.cache/cache-test/environments');
  mkdirSync(kept, { recursive: true });
  expect(readdirSync(kept).length).toBeGreaterThan(0);
}, 300_000);

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
