import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Queue } from './queue-worker.ts';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const clients = path('../../../.venv-dev/bin/python');

describe('an app as the real flash build makes it', () => {
  let directory: string;
  let artifact: string;
  let queue: Queue;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'flash-test-'));
    const project = join(directory, 'project');
    cpSync(path('../../../examples/flash-app'), project, { recursive: true });
    artifact = execFileSync(clients, [path('../../../scripts/flash-build.py'), project], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  }, 120_000);
  afterEach(() => queue.close());
  afterAll(() => rmSync(directory, { recursive: true }));

  /** A worker of one resource; its Python has what the artifact's own runpod_flash needs. */
  const worker = async (resource: string): Promise<void> => {
    queue = await Queue.open();
    queue.worker({
      FLASH_PYTHON: clients,
      FLASH_ENDPOINT_TYPE: 'qb',
      FLASH_RESOURCE_NAME: resource,
      FLASH_BUILD_ARTIFACT_PATH: artifact,
      FLASH_APP_DIR: join(queue.directory, 'app'),
    });
  };

  it('serves a function, with a module of the app beside it', async () => {
    await worker('adder');
    expect(await queue.runsync({ a: 2, b: 3 })).toMatchObject({
      status: 'COMPLETED',
      output: { sum: 5, text: 'hello from adder' },
    });
    expect(await queue.runsync({ a: 2 })).toMatchObject({ output: { sum: 3 } });
    const wrong = await queue.runsync({ c: 1 });
    expect([wrong.status, wrong.error]).toEqual([
      'FAILED',
      expect.stringContaining("unexpected keyword argument 'c'"),
    ]);
  });

  it('serves as many calls of an async function at once as the manifest says', async () => {
    await worker('later');
    await queue.runsync({ seconds: 0 });
    const startedAt = performance.now();
    const all = await Promise.all(Array.from({ length: 4 }, () => queue.runsync({ seconds: 0.5 })));
    expect(all.map(({ output }) => output)).toEqual([0.5, 0.5, 0.5, 0.5]);
    expect(performance.now() - startedAt).toBeLessThan(1500);
  });

  it('serves a class that is made once', async () => {
    await worker('counter');
    const outputs: unknown[] = [];
    for (const by of [1, 10]) outputs.push((await queue.runsync({ by })).output);
    expect(outputs).toEqual([1, 11]);
  });
});
